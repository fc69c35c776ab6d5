"""The process that runs picamera2: `python -m camera.sensor` writes access units to stdout.

Each is a header (length of the unit in bytes, sensor time in µs of CLOCK_BOOTTIME) and the unit in
Annex B. It is handed over by the encoder's own thread as soon as it is coded. A unit of time NOTE
is text instead: what is not as wished.
"""

import argparse
import inspect
import json
import os
import signal
import struct
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import sensor_setup
from .metadata_file import MetadataFile

HEADER = ">Iq"
NOTE = -1


def main() -> None:
    """Look whether there is a camera, or film until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m camera.sensor", description=__doc__)
    parser.add_argument("--look", action="store_true", help="only say what is missing")
    parser.add_argument("--camera", type=int, default=0)
    parser.add_argument("--width", type=int, default=800)
    parser.add_argument("--height", type=int, default=600)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--bitrate", type=int, default=1_500_000, help="bit/s")
    parser.add_argument("--key-interval", type=float, default=1, help="s")
    parser.add_argument("--metadata", type=Path, default=Path(os.devnull))
    parser.add_argument("--setup", type=json.loads, default={}, help="see drivers/libcamera.py")
    options = parser.parse_args()
    end_with_any_thread()
    stdout = own_stdout()
    # Without it picamera2 takes back the variable that names a tuning file.
    tuning = options.setup.get("tuning_file")
    if tuning and not Path(tuning).is_file():
        sys.exit(f"controls.tuning_file: {tuning} does not exist")
    try:
        import picamera2
    except ImportError as error:
        sys.exit(f"the module cannot be imported: {error} (apt install python3-picamera2)")
    # libcamera lists webcams too, whose pictures it could not encode. Picamera2 wants the place in
    # its own sorted list, which is not the number that libcamera gives.
    everything = list(enumerate(picamera2.Picamera2.global_camera_info()))
    attached = [(place, about) for place, about in everything if "/usb" not in about["Id"]]
    if not attached:
        sys.exit("it sees no camera (cable, or camera_auto_detect in config.txt?)")
    if options.camera >= len(attached):
        sys.exit(f"there is no camera {options.camera}: it sees {len(attached)}, from 0 on")
    if not options.look:
        place, about = attached[options.camera]
        sensor_setup.before_opening(about["Model"], about["Num"], options.setup)
        film(picamera2.Picamera2(place, tuning=tuning), options, stdout)


def own_stdout() -> int:
    """A descriptor for the pictures; what picamera2 prints goes to stderr from now on."""
    pictures = os.dup(1)
    os.dup2(2, 1)
    return pictures


def end_with_any_thread() -> None:
    """Let an exception end the whole process: picamera2's threads would leave it standing idle."""

    def end(kind: Any, error: Any, trace: Any) -> None:
        sys.__excepthook__(kind, error, trace)
        sys.stderr.flush()
        os._exit(1)

    sys.excepthook = end
    threading.excepthook = lambda args: end(args.exc_type, args.exc_value, args.exc_traceback)


def film(camera: Any, options: argparse.Namespace, stdout: int) -> None:
    """Configure, and film until the process is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for text in sensor_setup.configure(camera, options):
        hand_over(stdout, NOTE, text.encode())
    encoder = h264_encoder(options)
    metadata = MetadataFile(options.metadata)
    camera.pre_callback = lambda request: metadata.write(plain(request.get_metadata()))
    camera.start_recording(encoder, output(encoder, stdout))
    while True:
        time.sleep(3600)


def h264_encoder(options: argparse.Namespace) -> Any:
    """The encoder of this board: on a Pi 5 the same name is the software encoder."""
    from picamera2.encoders import H264Encoder

    period = max(1, round(options.key_interval * options.fps))
    wanted = {"bitrate": options.bitrate, "repeat": True, "iperiod": period, "profile": "baseline"}
    # Up to 0.3.17 the software encoder takes no profile: it makes baseline anyway.
    takes = inspect.signature(H264Encoder).parameters
    encoder = H264Encoder(**{key: value for key, value in wanted.items() if key in takes})
    # From version 13 on PyAV refuses a rate that is a float.
    encoder.framerate = Fraction(f"{options.fps:g}")
    if hasattr(encoder, "threads"):
        # It lets x264 work on several frames at once, which keeps back one frame for each thread.
        encoder.threads = 1
    return encoder


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """The metadata that a file can hold: some controls of libcamera are bytes or text."""
    return {key: value for key, value in record.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float)


def output(encoder: Any, stdout: int) -> Any:
    """An output that writes each access unit in one piece.

    picamera2 counts time from its first frame, whose sensor time the encoder remembers.
    """
    from picamera2.outputs import Output

    class Handover(Output):  # type: ignore[misc]
        def outputframe(
            self,
            frame: bytes,
            keyframe: bool = True,
            timestamp: int | None = None,
            packet: object = None,
            audio: bool = False,
        ) -> None:
            if timestamp is not None and not audio:
                hand_over(stdout, (encoder.firsttimestamp or 0) + timestamp, bytes(frame))

    return Handover()


def hand_over(stdout: int, taken: int, data: bytes) -> None:
    """Header and unit, past Python's buffer."""
    rest = memoryview(struct.pack(HEADER, len(data), taken) + data)
    while rest:
        rest = rest[os.write(stdout, rest) :]


if __name__ == "__main__":
    main()
