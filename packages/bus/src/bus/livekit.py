"""Where LiveKit is, for everybody who needs it: the page, and those who publish to it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from .messages.base import Level
from .secret import read_secret
from .settings import Section

Ip = Annotated[str, AfterValidator(lambda text: str(ip_address(text)))]
CAMERA = "{camera}"
SHORTEST = 32
"""Characters of the secret, as LiveKit asks for: it signs with HS256 (RFC 7518 §3.2)."""


class Livekit(Section):
    """The table `[livekit]`."""

    url: str = Field(
        "",
        pattern=r"^(wss?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?)?$",
        description="where the page finds LiveKit, such as wss://livekit.example.org; empty = none",
    )
    api_url: str = Field(
        "http://127.0.0.1:7880",
        pattern=r"^https?://",
        description="where this machine finds it, to create an ingress",
    )
    listen: Ip = Field("127.0.0.1", description="IP address it listens on; 0.0.0.0 = every one")
    external_address: Ip | None = Field(
        None, description="its public IP address, where it stands behind NAT"
    )
    ingress: str = Field(
        "127.0.0.1",
        pattern=r"^[A-Za-z0-9.-]+$",
        description="the host at which relays find its ingress",
    )
    key: str = Field(
        "", pattern=r"^[A-Za-z0-9_-]{0,256}$", description="API key; livekit-server generate-keys"
    )
    secret: SecretStr = Field(SecretStr(""), description="its secret; better: secret_file")
    secret_file: Path | None = Field(None, description="a file that holds the secret")
    cameras: tuple[Level, ...] = Field(
        (), description="the cameras that a relay brings there; empty = every camera"
    )
    room: str = Field(
        "{camera}_camera", min_length=1, max_length=128, description="the room of each camera"
    )
    ttl: int = Field(600, ge=30, le=86_400, description="s for which a viewer's token is good")
    timeout: float = Field(5, gt=0, le=60, description="s to wait for LiveKit's API")

    @field_validator("room")
    @classmethod
    def _room_names_the_camera(cls, room: str) -> str:
        if CAMERA not in room:
            raise ValueError(f"must have {CAMERA} in it, so that each camera has a room of its own")
        return room

    def shows(self, camera: str) -> bool:
        """Whether the page may look for this camera there."""
        return bool(self.url) and (not self.cameras or camera in self.cameras)

    def room_of(self, camera: str) -> str:
        """The room of a camera."""
        return self.room.replace(CAMERA, camera)

    def signing(self) -> tuple[str, str]:
        """API key and secret; raises ValueError or OSError that say which setting is wrong."""
        secret = read_secret(self.secret, self.secret_file)
        if not self.key:
            raise ValueError("livekit.key is not set")
        if not secret:
            raise ValueError("livekit.secret is not set, nor anything in livekit.secret_file")
        if len(secret) < SHORTEST:
            raise ValueError(f"livekit.secret is shorter than {SHORTEST} characters")
        return self.key, secret
