"""Whom a relay pushes to in tests: ffmpeg in listen mode; and what it says of itself."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import paho.mqtt.client as paho
from bus.messages import RelayStatus
from conftest import DEADLINE, Service, Start, free_port, wait_until
from media.h264 import slices, split_annex_b, split_length_prefixed
from paho.mqtt.enums import CallbackAPIVersion

QUICK = {
    "CAMERA": "csi",
    "STATUS_INTERVAL": "0.2",
    "BACKOFF_MIN": "0.1",
    "BACKOFF_MAX": "0.4",
    "STALL_TIMEOUT": "10",
}


class Hearing:
    """Every status of every relay."""

    def __init__(self, port: int) -> None:
        self.statuses: dict[str, list[RelayStatus]] = {}
        self.payloads: list[bytes] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("beeper/#", 1)
        self._client.loop_start()

    def _hear(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        self.payloads.append(bytes(message.payload))
        parts = message.topic.split("/")
        if parts[1] == "relay":
            status = RelayStatus.model_validate_json(message.payload)
            self.statuses.setdefault(parts[2], []).append(status)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Relay:
    """A running `python -m relay <name>`."""

    def __init__(self, service: Service, name: str, hearing: Hearing) -> None:
        self.service = service
        self._name = name
        self._hearing = hearing

    @property
    def statuses(self) -> list[RelayStatus]:
        return self._hearing.statuses.get(self._name, [])

    def says(self, condition: Callable[[RelayStatus], object], what: str) -> RelayStatus:
        """Wait until a status that is still to come, or the last one, is like this."""
        begin = max(0, len(self.statuses) - 1)
        try:
            wait_until(lambda: any(map(condition, self.statuses[begin:])), what)
        except BaseException as error:
            error.add_note(f"{self.statuses[-1:]}\n{self.service.log()}")
            raise
        return next(status for status in self.statuses[begin:] if condition(status))

    def streams(self) -> RelayStatus:
        return self.says(lambda status: status.state == "streaming", f"{self._name} streams")

    def fails(self, why: str = "") -> RelayStatus:
        return self.says(
            lambda status: status.state == "backoff" and why in (status.error or ""),
            f"{self._name} in backoff: {why}",
        )


class Relays:
    """Starts relays."""

    def __init__(self, start: Start, hearing: Hearing) -> None:
        self._start = start
        self._hearing = hearing

    def __call__(self, name: str, url: str, **values: str) -> Relay:
        prefix = f"BEEPER_RELAY__{name.upper()}__"
        log_level = values.pop("log_level", "info")
        given = QUICK | {"URL": url} | {key.upper(): value for key, value in values.items()}
        variables = {prefix + key: given[key] for key in given}
        service = self._start("relay", name, BEEPER_LOG_LEVEL=log_level, **variables)
        return Relay(service, name, self._hearing)


class Receiver:
    """An ffmpeg that waits for whoever pushes to it, and writes H.264 as it comes."""

    url = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def source(self) -> list[str]:
        raise NotImplementedError

    def __enter__(self) -> "Receiver":
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def file(self) -> Path:
        return self._folder / f"{type(self).__name__}-{self.port}-{self._runs}.h264"

    @property
    def sound(self) -> Path:
        return self.file.with_suffix(".mka")

    def start(self) -> None:
        """Listen; a file of its own for each run."""
        self._runs += 1
        self.process = subprocess.Popen(self.command())

    def command(self) -> list[str]:
        out = ["-c", "copy", "-flush_packets", "1"]
        return [
            *("ffmpeg", "-v", "error", "-nostdin", "-fflags", "nobuffer", *self.source()),
            *("-map", "0:v", *out, "-f", "h264", str(self.file)),
            *("-map", "0:a?", *out, "-f", "matroska", str(self.sound)),
        ]

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(DEADLINE)
            self.process = None

    def received(self) -> list[bytes]:
        """The slices that have come; the last one may not be complete."""
        data = self.file.read_bytes() if self.file.exists() else b""
        return slices(split_annex_b(data[data.find(b"\0\0\0\1") :])) if len(data) > 4 else []

    def receives(self, count: int) -> list[bytes]:
        """Wait for so many slices of this run, and give those that are complete."""
        looked = 0

        def enough() -> bool:
            nonlocal looked
            if self.process and self.process.poll() is not None:
                # ffmpeg takes one connection and no second one.
                self.start()
                looked = 0
            # Looked at again only when much has come: looking costs more than receiving.
            size = self.file.stat().st_size if self.file.exists() else 0
            if size <= looked * 1.2:
                return False
            looked = size
            return len(self.received()) > count

        wait_until(enough, f"{count} slices at {self.url}")
        return self.received()[:-1]


class RtspReceiver(Receiver):
    @property
    def url(self) -> str:  # type: ignore[override]
        return f"rtsp://127.0.0.1:{self.port}/csi_camera"

    def source(self) -> list[str]:
        return ["-rtsp_flags", "listen", "-rtsp_transport", "tcp", "-i", self.url]


class RtmpReceiver(Receiver):
    @property
    def url(self) -> str:  # type: ignore[override]
        return f"rtmp://127.0.0.1:{self.port}/live/key"

    def source(self) -> list[str]:
        return ["-listen", "1", "-analyzeduration", "500000", "-f", "flv", "-i", self.url]


class WhipReceiver(Receiver):
    """aiortc; with a token it takes only who shows it."""

    def __init__(self, folder: Path, token: str = "") -> None:
        super().__init__(folder)
        self._token = token

    @property
    def url(self) -> str:  # type: ignore[override]
        return f"whip://127.0.0.1:{self.port}/csi_camera/whip"

    def command(self) -> list[str]:
        peer = str(Path(__file__).with_name("whip_peer.py"))
        return [sys.executable, peer, str(self.port), str(self.file), self._token]


def encoded(samples: list[bytes]) -> list[bytes]:
    """The slices of the camera's samples."""
    return [nal for sample in samples for nal in slices(split_length_prefixed(sample))]
