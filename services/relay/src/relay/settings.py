"""What can be set about the relays."""

from pathlib import Path
from typing import Literal, get_args

import bus
from bus.address import Address, AddressError
from bus.hub import Hub
from bus.messages import Level
from bus.settings import Section
from pydantic import Field, SecretStr, field_validator, model_validator

Scheme = Literal["rtsp", "rtsps", "rtmp", "rtmps", "whip", "whips", "http", "https"]
SCHEMES: tuple[str, ...] = get_args(Scheme)
HUB = "hub"
"""The url of a relay to the hub of the table `[hub]`."""


class Relay(Section):
    """One relay: a camera, and where to push it."""

    enabled: bool = Field(True, description="false = this relay does not exist")
    camera: Level = Field("csi", description="the camera that is pushed")
    url: SecretStr = Field(
        SecretStr(""),
        description="where to; empty = this relay does not exist; begins with "
        f"{', '.join(SCHEMES)} (http and https are WHIP endpoints), "
        "or is `hub`: to that of [hub], while somebody watches there",
    )
    username: str = Field("", max_length=200, description="empty = none")
    password: SecretStr = Field(SecretStr(""), description="better: password_file")
    password_file: Path | None = Field(None, description="a file that holds the password")
    stream_key: SecretStr = Field(
        SecretStr(""), description="the last part of an RTMP or WHIP URL; better: stream_key_file"
    )
    stream_key_file: Path | None = Field(
        None, description="a file that holds the stream key, or that create-ingress wrote"
    )
    token: SecretStr = Field(
        SecretStr(""), description="bearer token of a WHIP endpoint; better: token_file"
    )
    token_file: Path | None = Field(None, description="a file that holds the token")
    sound: bool = Field(True, description="push the sound too, where the camera has any")
    aac_bitrate_kbps: int = Field(
        64, ge=16, le=320, description="kbit/s of the AAC that RTMP needs in place of Opus"
    )
    connect_timeout: float = Field(10, gt=0, le=120, description="s until the target takes media")
    stall_timeout: float = Field(
        5, gt=0, le=120, description="s in which the target may accept nothing"
    )
    camera_timeout: float = Field(
        5, gt=0, le=120, description="s without a picture after which the target is let go"
    )
    backoff_min: float = Field(2, gt=0, le=300, description="s before the first new attempt")
    backoff_max: float = Field(30, gt=0, le=3600, description="s between attempts at most")
    good_run: float = Field(60, gt=0, le=3600, description="s of success after which all is well")
    behind: float = Field(
        0.5, gt=0, le=10, description="s of lateness on the bus that drop to the next key frame"
    )
    unsent: int = Field(
        131_072,
        ge=16_384,
        le=16_777_216,
        description="bytes that may wait for a slow target before frames are dropped",
    )
    lease: float = Field(10, ge=1, le=120, description="s of each lease on an on-demand camera")
    status_interval: float = Field(10, gt=0, le=60, description="s between two status messages")

    @model_validator(mode="after")
    def _consistent(self) -> "Relay":
        # Messages of a whole model are shown without its values: a URL may hold a password.
        scheme = self._scheme(self.url.get_secret_value())
        if scheme.startswith("rtsp") and (self.stream_key_file or self.stream_key):
            raise ValueError("RTSP has no stream key: use username and password")
        if self.backoff_max < self.backoff_min:
            raise ValueError("backoff_max is less than backoff_min")
        return self

    @staticmethod
    def _scheme(url: str) -> str:
        if url in ("", HUB):
            return url
        if url.partition("://")[0].lower() not in SCHEMES:
            begins = "://, ".join(SCHEMES)
            raise ValueError(f"a relay needs a url that begins with {begins}://, or is {HUB}")
        try:
            address = Address.parse(url)
        except AddressError as error:
            raise ValueError(f"url: {error}") from None
        if not address.host or address.host.startswith(":"):
            raise ValueError("url: it names no host")
        return address.scheme


class Settings(bus.Settings):
    """The settings of `python -m relay <name>`."""

    hub: Hub = Hub()
    relay: dict[Level, Relay] = Field(default_factory=dict, description="none by default")

    @field_validator("relay")
    @classmethod
    def _without_the_disabled(cls, value: dict[str, Relay]) -> dict[str, Relay]:
        return {
            name: relay
            for name, relay in value.items()
            if relay.enabled and relay.url.get_secret_value()
        }

    @model_validator(mode="after")
    def _with_a_hub(self) -> "Settings":
        urls = [relay.url.get_secret_value() for relay in self.relay.values()]
        if HUB in urls and not self.hub.host:
            raise ValueError("a relay to the hub needs hub.host and hub.station")
        return self
