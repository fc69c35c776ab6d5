"""The TURN server (RFC 8656): where it is, and credentials that it takes for a while.

Whoever knows the secret makes them without asking the server: `use-auth-secret` of coturn, after
draft-uberti-behave-turn-rest-00.
"""

import hashlib
import hmac
from base64 import b64encode
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, SecretStr, StringConstraints

from .livekit import Ip
from .secret import read_secret
from .settings import Section

Url = Annotated[
    str,
    StringConstraints(
        pattern=r"^(stuns?:[A-Za-z0-9.:\[\]-]+|turns?:[A-Za-z0-9.:\[\]-]+(\?transport=(udp|tcp))?)$",
        max_length=300,
    ),
]
"""URIs of RFC 7064 and RFC 7065, as browsers take them."""


class Turn(Section):
    """The table `[turn]`."""

    urls: tuple[Url, ...] = Field(
        (),
        max_length=8,
        description="what viewers are told, such as stun:host:3478, turn:host:3478?transport=udp",
    )
    realm: str = Field("beeper-keeper", pattern=r"^[A-Za-z0-9._-]{1,127}$", description="its realm")
    secret: SecretStr = Field(SecretStr(""), description="shared with it; better: secret_file")
    secret_file: Path | None = Field(None, description="a file that holds the secret")
    ttl: int = Field(86_400, ge=60, le=604_800, description="s in which credentials can be used")
    listen: Ip = Field(
        "127.0.0.1", description="IP address of the machine that it listens on and relays from"
    )
    external_address: Ip | None = Field(
        None, description="its public IP address, where it stands behind NAT"
    )
    peers: tuple[Ip, ...] = Field(
        (), description="private addresses that it relays to, such as LiveKit's; no others"
    )

    def shared_secret(self) -> str:
        """The secret; raises ValueError when it is missing, OSError when its file is."""
        secret = read_secret(self.secret, self.secret_file)
        if not secret:
            raise ValueError("turn.secret is not set, nor anything in turn.secret_file")
        return secret


class Credentials(NamedTuple):
    """What a client proves itself with, until `expires` (Unix s)."""

    username: str
    credential: str
    expires: int


def credentials(secret: str, identity: str, expires: int) -> Credentials:
    """Credentials for `identity`: `expires:identity`, and its HMAC-SHA1 under the secret."""
    username = f"{expires}:{identity}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credentials(username, b64encode(digest).decode(), expires)
