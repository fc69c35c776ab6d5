"""The sensor of a Camera Module 3, whose HDR is switched before it is opened.

STANDIN_HDR: a file for what was switched.
"""

import os
from pathlib import Path
from types import TracebackType


class IMX708:
    def __init__(self, camera_num: int | None = None) -> None:
        self._number = camera_num

    def __enter__(self) -> "IMX708":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def set_sensor_hdr_mode(self, enable: bool) -> None:
        Path(os.environ.get("STANDIN_HDR", os.devnull)).write_text(f"{self._number} {enable}")
