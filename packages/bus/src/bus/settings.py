"""Settings: `beeper.toml`, and above it `BEEPER_…` variables; a wrong one stops the service."""

import hashlib
import hmac
import json
import os
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from .address import hide_addresses
from .messages.base import LEVEL
from .secret import read_secret

PREFIX = "BEEPER_"
CONFIG = "BEEPER_CONFIG"
SECTIONS = frozenset(
    {
        "station",
        "log_level",
        "runtime_dir",
        "state_dir",
        "mqtt",
        "clock",
        "camera",
        "stills",
        "metadata",
        "sensors",
        "web",
        "webrtc",
        "aac",
        "relay",
        "mediamtx",
        "livekit",
        "turn",
        "access",
        "chat",
        "stepper",
        "alerts",
        "grafana",
        "hub",
        "history",
    }
)
"""Every first-level key; each service reads its own and leaves the others to their owners."""


class SettingsError(ValueError):
    """One line for each wrong setting: the key, the value, what is allowed."""


class Section(BaseModel):
    """A table of `beeper.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Mqtt(Section):
    """The broker, and how patient to be with it."""

    host: str = Field("127.0.0.1", min_length=1, description="the broker's host")
    port: int = Field(1883, ge=1, le=65535, description="the broker's port")
    socket: Path | None = Field(
        None, description="a Unix socket of the broker on this machine, in place of host and port"
    )
    username: str = Field("", description="empty = no authentication")
    password: SecretStr = Field(SecretStr(""), description="better: password_file")
    password_file: Path | None = Field(None, description="a file that holds the password")
    tls: bool = Field(False, description="encrypt, and check the broker's certificate")
    ca_file: Path | None = Field(None, description="CA certificate; default: the system's")
    keepalive: int = Field(5, ge=1, le=3600, description="s of silence after which to ping")
    timeout: float = Field(2.5, gt=0, le=60, description="s to wait for an answer of the broker")
    retry_min: float = Field(0.25, gt=0, le=60, description="s before the first reconnect")
    retry_max: float = Field(3, gt=0, le=600, description="s between reconnects at most")
    status_interval: float = Field(10, gt=0, le=3600, description="s between two status messages")
    echo_interval: float = Field(1, gt=0, le=60, description="s between two round trips")
    send_buffer: int = Field(
        0, ge=0, le=16_777_216, description="bytes of the kernel's send buffer; 0 = its default"
    )

    health_file: Path | None = Field(
        None, description="written when the broker confirms a status, for health checks"
    )

    def secret(self) -> str:
        """The password, from its file when one is named; raises OSError when that is unreadable."""
        return read_secret(self.password, self.password_file)

    @property
    def shown(self) -> str:
        """Where the broker is, for a log."""
        return str(self.socket) if self.socket else f"{self.host}:{self.port}"

    def client_id(self, name: str) -> str:
        """The client id of a connection, the same at each start; raises OSError as `secret` does.

        Whoever connects with another client's id ends its connection and inherits its session
        (MQTT 5 §3.1.4-3), whatever user that is. So the id holds what only who has the password
        can know. Without a password there is nothing to protect.
        """
        word = self.secret()
        return client_id(name, word) if word else name


def client_id(name: str, password: str) -> str:
    """A client id that nobody without the password can name: 96 bits of an HMAC stand behind it."""
    mark = hmac.new(password.encode(), name.encode(), hashlib.sha256).hexdigest()
    return f"{name}-{mark[:24]}"


class Clock(Section):
    """When the wall clock is believed."""

    trusted: bool = Field(
        False, description="take the system's time as right, without time server or RTC"
    )
    settle: float = Field(
        600, ge=0, le=86_400, description="s that a time must last which no time server confirms"
    )
    settle_synchronised: float = Field(
        60, ge=0, le=86_400, description="s that a jump must last which the time server confirms"
    )
    settle_expiry: float = Field(
        3600, ge=0, le=31_536_000, description="s after a leap of days in which nothing is deleted"
    )
    kernel: Path | None = Field(
        None, description="for tests: a file that says `synchronised` in the kernel's place"
    )


class Settings(BaseSettings):
    """What every service knows; each adds its own sections."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    station: str = Field("", pattern=f"^({LEVEL})?$", description="root on a hub; empty at home")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    runtime_dir: Path = Field(
        Path("/run/beeper-keeper"), description="camera metadata files; best on tmpfs"
    )
    state_dir: Path = Field(
        Path("/var/lib/beeper-keeper"), description="the little that must survive a restart"
    )
    mqtt: Mqtt = Mqtt()
    clock: Clock = Clock()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, the file over the defaults."""
        toml = TomlConfigSettingsSource(settings_cls, config_file())
        return init_settings, env_settings, toml


S = TypeVar("S", bound=Settings)

_SECRET = (
    *("password", "secret", "token", "stream_key", "credential"),
    *(".url", "ice_servers", "webhook", "ntfy"),
)
"""Parts of the keys whose values are not shown, however wrong they are."""


def config_file() -> Path:
    """`$BEEPER_CONFIG`, else `beeper.toml` in the current directory; it may be absent."""
    return Path(os.environ.get(CONFIG, "beeper.toml"))


def load(kind: type[S]) -> S:
    """Read and check; raises SettingsError with one line for each mistake."""
    mistakes = unknown_keys()
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError("\n".join(explain(error))) from None


def unknown_keys() -> list[str]:
    """First-level keys that no service owns, in the file and in the environment."""
    path = config_file()
    if CONFIG in os.environ and not path.exists():
        return [f"{CONFIG}={path}: there is no such file"]
    try:
        in_file = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"{path}: not valid TOML: {error}"]
    except OSError as error:
        return [f"{path}: {error.strerror}"]
    known = f"known are {', '.join(sorted(SECTIONS))}"
    wrong = [f"{path}: {key}: unknown key; {known}" for key in in_file if key not in SECTIONS]
    for name in os.environ:
        key = name.removeprefix(PREFIX).split("__")[0].lower()
        if name.startswith(PREFIX) and name != CONFIG and key not in SECTIONS:
            wrong.append(f"{name}: unknown setting; {known}")
    return wrong


def explain(error: ValidationError) -> list[str]:
    """One line a mistake: the key as in the file, the variable, the value, what is allowed."""
    lines = []
    for mistake in error.errors(include_url=False):
        keys = [str(part) for part in mistake["loc"] if not str(part).startswith("function-")]
        key = ".".join(keys)
        variable = PREFIX + "__".join(keys).upper()
        value = mistake.get("input")
        shown = "" if isinstance(value, dict | BaseModel) else f" = {_told(value)}"
        what = mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            what, shown = "unknown key", ""
        if any(word in key for word in _SECRET):
            shown = ""
        lines.append(f"{key}{shown}: {what} (beeper.toml, or {variable})")
    return lines


def _told(value: object) -> str:
    return hide_addresses(json.dumps(value, default=str))


def show(settings: Settings) -> str:
    """What is in force, as JSON, secrets hidden, also those that are parts of an address."""
    values: Any = settings.model_dump(mode="json")
    return hide_addresses(json.dumps(values, indent=2))
