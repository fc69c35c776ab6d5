"""Settings of `webrtc`."""

from ipaddress import ip_address
from typing import Self

import bus
from bus.settings import Section
from bus.turn import Url
from pydantic import Field, SecretStr, field_validator, model_validator


class Webrtc(Section):
    """The table `[webrtc]`."""

    max_sessions: int = Field(32, ge=1, le=10_000, description="viewers at once")
    port_min: int = Field(0, ge=0, le=65535, description="first UDP port; 0 = any free one")
    port_max: int = Field(
        0, ge=0, le=65535, description="last UDP port; a viewer takes one on each address"
    )
    addresses: tuple[str, ...] = Field(
        (), description="local addresses to use; none = all that this machine has"
    )
    public_hosts: tuple[str, ...] = Field(
        (), description="other addresses or names that lead here: of the router, of Docker's host"
    )
    ice_servers: tuple[Url, ...] = Field(
        (), description="STUN and TURN servers, such as stun:stun.example.org:3478"
    )
    ice_username: str = Field("", description="for the turn: and turns: ones among them")
    ice_credential: SecretStr = Field(SecretStr(""), description="its password")
    gather: float = Field(0.5, gt=0, le=10, description="s that a STUN server has to answer")
    header_wait: float = Field(4, gt=0, le=60, description="s to wait for a camera that starts")
    connect: float = Field(10, gt=0, le=120, description="s that a viewer has to connect")
    silent: float = Field(10, gt=1, le=600, description="s without a word that end a session")
    late: float = Field(0.5, gt=0, le=10, description="s that drop a camera to its next key frame")
    lease: float = Field(10, gt=1, le=120, description="s of each lease on an on-demand camera")
    linger: float = Field(10, ge=0, le=600, description="s that a camera is kept after the last")

    @field_validator("addresses")
    @classmethod
    def are_addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        """IPv4 or IPv6, as they are bound to."""
        for address in given:
            ip_address(address)
        return given

    @model_validator(mode="after")
    def has_credentials(self) -> Self:
        """Browsers refuse a TURN server without them, and WebRTC with it."""
        turn = any(url.startswith("turn") for url in self.ice_servers)
        if turn and not (self.ice_username and self.ice_credential.get_secret_value()):
            raise ValueError("a turn: server needs ice_username and ice_credential")
        return self

    @model_validator(mode="after")
    def is_range(self) -> Self:
        """Both ends or none, in order."""
        if (self.port_min == 0) != (self.port_max == 0) or self.port_min > self.port_max:
            raise ValueError("port_min and port_max are both 0, or a range in this order")
        return self


class Settings(bus.Settings):
    """Everything that `webrtc` reads."""

    webrtc: Webrtc = Webrtc()
