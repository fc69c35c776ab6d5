"""An ear on the bus for the tests of the camera, which start it as users do."""

import os
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from bus.messages import CameraStatus, ServiceStatus
from conftest import DEADLINE, Service, wait_until
from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE, boottime
from media.cmaf import VIDEO_TRACK, FragmentHeader, Init
from paho.mqtt.enums import CallbackAPIVersion

STANDINS = Path(__file__).parent / "camera" / "standins"

QUICK = {
    "START_TIMEOUT": "60",
    "STALL_TIMEOUT": "10",
    "BACKOFF_MIN": "0.1",
    "BACKOFF_MAX": "0.5",
    "STATUS_INTERVAL": "0.2",
    "DEMAND": "always",
}


def variables(camera: str, **values: str) -> dict[str, str]:
    """Settings of one camera as variables, with waits that suit a test."""
    prefix = f"BEEPER_CAMERA__{camera.upper()}__"
    given = {key.upper(): value for key, value in values.items()}
    return {prefix + key: value for key, value in (QUICK | given).items()}


def standins() -> dict[str, str]:
    """The environment in which the stand-ins are found."""
    return {"PATH": f"{STANDINS}:{os.environ['PATH']}", "PYTHONPATH": str(STANDINS)}


class Fragment:
    """One fragment as it came: its header, its sample, when it came (boot s), its session."""

    def __init__(self, session: str, payload: bytes) -> None:
        self.session = session
        self.at = boottime()
        self.payload = payload
        self.header = FragmentHeader.parse(payload)
        self.data = payload[self.header.offset :]

    @property
    def age(self) -> float:
        """Seconds since its capture when it came."""
        scale = VIDEO_TIMESCALE if self.header.track_id == VIDEO_TRACK else AUDIO_TIMESCALE
        return self.at - self.header.tfdt / scale


class Ear:
    """Hears everything."""

    def __init__(self, port: int) -> None:
        self.statuses: list[CameraStatus] = []
        self.services: list[ServiceStatus] = []
        self.inits: dict[str, list[tuple[Init, dict[str, str], bytes]]] = defaultdict(list)
        self.fragments: dict[str, list[Fragment]] = defaultdict(list)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_message = self._hear
        self.client.on_connect = lambda client, *_: client.subscribe([("#", 1)])
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(DEADLINE)

    def _hear(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        parts = message.topic.split("/")
        if not message.payload:
            return
        if parts[:2] == ["beeper", "camera"] and parts[3:] == ["status"]:
            self.statuses.append(CameraStatus.model_validate_json(message.payload))
        elif parts[:2] == ["beeper", "service"] and parts[3:] == ["status"]:
            self.services.append(ServiceStatus.model_validate_json(message.payload))
        elif parts[0] == "media" and parts[3] == "init":
            properties = dict(getattr(message.properties, "UserProperty", []))
            found = (Init.parse(bytes(message.payload)), properties, bytes(message.payload))
            self.inits[parts[2]].append(found)
        elif parts[0] == "media" and parts[3] == "fragment":
            self.fragments[parts[2]].append(Fragment(parts[4], bytes(message.payload)))

    @property
    def video(self) -> list[Fragment]:
        return self.fragments["video"]

    @property
    def sound(self) -> list[Fragment]:
        return self.fragments["audio"]

    def said(self, condition: Callable[[CameraStatus], object], what: str) -> CameraStatus:
        """Wait for a status like this."""
        self._until(lambda: any(map(condition, list(self.statuses))), what)
        return next(status for status in list(self.statuses) if condition(status))

    def fresh(self, seconds: float, track: str = "video") -> None:
        """Wait for one that is so young: on a busy machine some are not, late ones for ever are."""
        what = f"{track} younger than {seconds} s"
        self._until(lambda: self.more(1, track)[0].age < seconds, what)

    def sessions(self, count: int) -> None:
        """Wait for frames of so many sessions: a status may be heard before its frames are."""

        def enough() -> bool:
            return len({frame.session for frame in list(self.video)}) >= count

        self._until(enough, f"frames of {count} sessions")

    def _until(self, condition: Callable[[], object], what: str) -> None:
        try:
            wait_until(condition, what)
        except BaseException as error:
            error.add_note(str(self.statuses[-1:]))
            raise

    def more(self, count: int, track: str = "video") -> list[Fragment]:
        """Wait for so many more fragments, and give them."""
        begin = len(self.fragments[track])
        self._until(lambda: len(self.fragments[track]) >= begin + count, f"{count} of {track}")
        return self.fragments[track][begin : begin + count]


def children(service: Service) -> dict[int, str]:
    """The living children of a service: their process ids and names."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if int(parent) == service.process.pid and state != "Z":
            found[int(stat.parent.name)] = name
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def decode(init: bytes, fragments: bytes, width: int, height: int, count: int) -> list[bytes]:
    """The luma of the first pictures, by ffmpeg."""
    done = subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "mp4", "-i", "pipe:0", "-frames:v", str(count)),
            *("-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"),
        ],
        input=init + fragments,
        capture_output=True,
        check=True,
    )
    size = width * height
    return [done.stdout[n * size : (n + 1) * size] for n in range(len(done.stdout) // size)]
