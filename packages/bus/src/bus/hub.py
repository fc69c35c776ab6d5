"""The hub of many stations, as a station knows it: its bridge and its relays."""

from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from .messages.base import LEVEL
from .rights import SERVICES
from .secret import read_secret
from .settings import Mqtt, Section


class Hub(Section):
    """The table `[hub]`: where this station's readings go besides."""

    host: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.:\[\]-]*$",
        description="the hub's broker; empty = this station has no hub",
    )
    port: int = Field(8883, ge=1, le=65535, description="its port")
    station: str = Field(
        "", pattern=f"^({LEVEL})?$", description="this station's name there, and its user"
    )
    password: SecretStr = Field(SecretStr(""), description="better: password_file")
    password_file: Path | None = Field(None, description="a file that holds the password")
    tls: bool = Field(True, description="encrypt, and check the hub's certificate")
    ca_file: Path | None = Field(None, description="CA certificate; default: the system's")
    outage: float = Field(
        3600, ge=0, le=604_800, description="s without a link for which readings are kept"
    )
    rate: float = Field(
        8, gt=0, le=10_000, description="readings a second, for the size of what is kept"
    )

    @model_validator(mode="after")
    def _whole(self) -> "Hub":
        if self.host and not self.station:
            raise ValueError("hub.host needs hub.station: this station's name at the hub")
        if self.station.partition("-")[0] in SERVICES:
            raise ValueError(f"hub.station: {self.station} is the name of a service")
        return self

    def mqtt(self, mqtt: Mqtt, send_buffer: int = 0) -> Mqtt:
        """How a service of this station reaches the hub, as patient as it is at home."""
        there = {
            "host": self.host,
            "port": self.port,
            "socket": None,
            "username": self.station,
            "password": self.password,
            "password_file": self.password_file,
            "tls": self.tls,
            "ca_file": self.ca_file,
            "send_buffer": send_buffer,
        }
        return mqtt.model_copy(update=there)

    @property
    def shown(self) -> str:
        """Where this station stands at the hub, without any secret."""
        return f"mqtt{'s' * self.tls}://{self.host}:{self.port}/stations/{self.station}"

    def secret(self) -> str:
        """The password, from its file when one is named; raises OSError when that is unreadable."""
        return read_secret(self.password, self.password_file)
