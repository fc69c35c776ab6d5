"""What cameras, their relays and their watchers say of themselves."""

from typing import Literal

from pydantic import ConfigDict, Field

from .base import Lease, Level, Metric

CameraState = Literal["starting", "streaming", "backoff", "stopped"]


class CameraStatus(Metric):
    """The health of one camera; fps and bitrate are measured, never configured values."""

    state: CameraState
    title: str | None = Field(
        default=None, max_length=60, description="what people call it; null = its name"
    )
    driver: str = Field(max_length=32, description="picamera2, rpicam, v4l2, url, test or auto")
    width: int | None = Field(default=None, gt=0, description="pixels")
    height: int | None = Field(default=None, gt=0, description="pixels")
    fps: float | None = Field(default=None, ge=0, description="frames delivered a second")
    bitrate_kbps: float | None = Field(default=None, ge=0, description="kbit/s, all tracks")
    key_interval: float | None = Field(default=None, gt=0, description="s between key frames")
    video_codec: str | None = Field(default=None, description="RFC 6381, such as avc1.42C01F")
    audio_codec: str | None = Field(default=None, description="RFC 6381; null = no audio")
    encoding: Literal["hardware", "software", "copy"] | None = None
    clock: Literal["sensor", "arrival"] | None = Field(
        default=None, description="what the capture time of a frame is"
    )
    demand: Literal["always", "on_demand"] = "always"
    restarts: int = Field(default=0, ge=0, description="encoder restarts since the service began")
    dropped: int = Field(default=0, ge=0, description="fragments the broker was too slow for")
    last_frame_at: float | None = Field(default=None, gt=0, description="Unix time (s)")
    error: str | None = Field(default=None, max_length=500, description="why there is no picture")
    warning: str | None = Field(default=None, max_length=500, description="what is not as wished")


class CameraMetadata(Metric):
    """The newest record of libcamera's metadata, under libcamera's own key names."""

    model_config = ConfigDict(extra="allow")

    ExposureTime: float | None = Field(default=None, ge=0, description="µs")
    AnalogueGain: float | None = Field(default=None, ge=0)
    DigitalGain: float | None = Field(default=None, ge=0)
    Lux: float | None = Field(default=None, ge=0)
    ColourTemperature: float | None = Field(default=None, ge=0, description="K")
    FrameDuration: float | None = Field(default=None, ge=0, description="µs")
    SensorTemperature: float | None = Field(default=None, description="°C")
    SensorTimestamp: int | None = Field(default=None, ge=0, description="ns, CLOCK_BOOTTIME")


class RelayStatus(Metric):
    """The health of one relay; follows the bytes that its target really accepted."""

    camera: Level
    target: str = Field(max_length=300, description="URL, secrets removed")
    state: CameraState
    bytes_sent: int = Field(default=0, ge=0, description="confirmed by the target, since the start")
    dropped: int = Field(default=0, ge=0, description="frames that the target was too slow for")
    restarts: int = Field(default=0, ge=0, description="new attempts since the service began")
    error: str | None = Field(default=None, max_length=500, description="why nothing is pushed")


class CameraLease(Lease):
    """Somebody wants this camera's fragments for a while; an `on_demand` camera then encodes."""


class JpegLease(Lease):
    """Somebody wants JPEGs of this camera for a while."""

    fps: float = Field(gt=0, le=30)


class AacLease(Lease):
    """Somebody wants this camera's sound as AAC for a while."""
