"""What can be set about the cameras."""

from typing import Annotated, Any, Literal, get_args

import bus
from bus.address import AddressError
from bus.messages import Level
from bus.settings import Section
from pydantic import Field, SecretStr, field_validator, model_validator

from .address import Address
from .controls import Controls

DriverName = Literal["auto", "picamera2", "rpicam", "v4l2", "url", "test"]
Demand = Literal["always", "on_demand"]
Scheme = Literal["file", "http", "https", "tcp", "udp", "rtsp", "rtsps", "rtmp", "rtmps", "srt"]
SCHEMES: tuple[str, ...] = get_args(Scheme)

CSI: tuple[str, ...] = ("auto", "picamera2", "rpicam")
GEOMETRY = {"hflip", "vflip", "rotation", "roi"}
"""The controls that any camera has whose pictures are encoded here."""

V4l2Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
V4l2Value = bool | int | str

DEFAULTS: dict[str, dict[str, Any]] = {
    "csi": {"width": 800, "height": 600, "fps": 15},
    "usb": {
        "driver": "v4l2",
        "width": 640,
        "height": 480,
        "fps": 10,
        "bitrate_kbps": 800,
        "buffer_kbit": 400,
        "audio": "alsa:dsnoop_usb",
    },
}
"""The two cameras of a station; what is configured goes on top, key by key."""


class Camera(Section):
    """One camera."""

    enabled: bool = Field(True, description="false = this camera does not exist")
    title: str = Field(
        "", max_length=60, description="what people read, such as Coop; empty = the name"
    )
    driver: DriverName = Field("auto", description="auto = picamera2 or rpicam, for a CSI camera")
    device: str = Field(
        "",
        max_length=300,
        description="v4l2: node or stable name, or a file (raw YUYV, or .mjpeg); picamera2 and "
        "rpicam: number of the camera; empty = the first",
    )
    url: SecretStr = Field(
        SecretStr(""),
        description=f"driver url: where from; one of {', '.join(SCHEMES)}; write / ? # @ [ ] % and "
        "spaces of a password as %2F %3F %23 %40 %5B %5D %25 %20",
    )
    width: int = Field(
        1280,
        ge=160,
        le=4096,
        multiple_of=2,
        description="pixels; with url: at most, if it is set; else what is copied may be larger",
    )
    height: int = Field(
        720,
        ge=120,
        le=4096,
        multiple_of=2,
        description="pixels; with url: at most, if it is set; else what is copied may be larger",
    )
    fps: float = Field(30, ge=0.5, le=120, description="pictures a second; with url: its own")
    bitrate_kbps: int = Field(
        1500,
        ge=50,
        le=50_000,
        description="kbit/s of video at most; what is copied from a url keeps its own",
    )
    buffer_kbit: int | None = Field(
        None,
        ge=10,
        le=50_000,
        description="kbit that a burst may take beyond the bitrate; null = a third of a second",
    )
    key_interval: float = Field(
        1,
        ge=0.1,
        le=10,
        description="s between key frames; what is copied from a url keeps its own, up to 10",
    )
    demand: Demand | None = Field(
        None, description="null = on_demand for software encoders of real cameras, else always"
    )
    audio: str = Field(
        "off",
        pattern=r"^(off|test|source|alsa:.{1,200})$",
        description="off, alsa:<device>, test (a beep each second), source (the url's own sound)",
    )
    audio_bitrate_kbps: int = Field(48, ge=6, le=256, description="kbit/s of Opus")
    start_timeout: float = Field(20, gt=0, le=300, description="s to the first frame")
    stall_timeout: float = Field(5, gt=0, le=300, description="s without a frame: start again")
    backoff_min: float = Field(1, gt=0, le=300, description="s before the first new attempt")
    backoff_max: float = Field(30, gt=0, le=3600, description="s between attempts at most")
    good_run: float = Field(60, gt=0, le=3600, description="s of frames after which all is well")
    status_interval: float = Field(10, gt=0, le=60, description="s between two status messages")
    controls: Controls = Controls()
    v4l2_controls: dict[V4l2Name, V4l2Value] = Field(
        default_factory=dict,
        description="driver v4l2: name = value, as `v4l2-ctl --list-ctrls-menus` lists them",
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Camera":
        # Messages of a whole model are shown without its values: a URL may hold a password.
        if self.driver == "url":
            self._check_url(self.url.get_secret_value())
        if self.audio == "source" and self.driver != "url":
            raise ValueError("audio = source is for driver url only")
        if self.backoff_max < self.backoff_min:
            raise ValueError("backoff_max is less than backoff_min")
        self._check_controls()
        return self

    @staticmethod
    def _check_url(url: str) -> None:
        if url.partition(":")[0].lower() not in SCHEMES:
            raise ValueError(f"driver url needs a url that begins with {'://, '.join(SCHEMES)}://")
        try:
            Address(url)
        except AddressError as error:
            raise ValueError(f"url: {error}") from None

    def _check_controls(self) -> None:
        foreign = set(self.controls.given) - GEOMETRY
        if self.driver == "v4l2" and foreign:
            raise ValueError(
                f"controls.{min(foreign)} is for CSI cameras; a USB camera has v4l2_controls"
            )
        if self.driver in CSI and self.v4l2_controls:
            raise ValueError("v4l2_controls are for driver v4l2; a CSI camera has controls")
        if self.driver in CSI and self.controls.rotation % 180:
            raise ValueError("controls.rotation of a CSI camera is 0 or 180")

    @property
    def limit(self) -> tuple[int, int] | None:
        """Width and height that copied pictures may have; None where nobody has set them.

        The sizes of a station's own two cameras are no wish about a source that takes their place.
        """
        size = {"width": self.width, "height": self.height}
        wished = any(
            key in self.model_fields_set and all(d.get(key) != value for d in DEFAULTS.values())
            for key, value in size.items()
        )
        return (self.width, self.height) if wished else None

    @property
    def unused_controls(self) -> str | None:
        """What is set for a camera, and not used by a driver that has none; in words."""
        set_for_one = self.controls.given or self.v4l2_controls
        if self.driver in ("url", "test") and set_for_one:
            return f"controls are set, and driver {self.driver} has none"
        return None

    @property
    def buffer(self) -> int:
        """kbit of the encoder's rate buffer: what a key frame may delay the frames behind it."""
        return self.buffer_kbit or max(10, self.bitrate_kbps // 3)


class Settings(bus.Settings):
    """The settings of `python -m camera <name>`."""

    camera: dict[Level, Camera] = Field(default_factory=dict, validate_default=True)

    @field_validator("camera", mode="before")
    @classmethod
    def _on_top_of_the_defaults(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        merged = {name: dict(camera) for name, camera in DEFAULTS.items()}
        for name, camera in value.items():
            merged[name] = merged.get(name, {}) | camera if isinstance(camera, dict) else camera
        return merged

    @field_validator("camera")
    @classmethod
    def _without_the_disabled(cls, value: dict[str, Camera]) -> dict[str, Camera]:
        return {name: camera for name, camera in value.items() if camera.enabled}
