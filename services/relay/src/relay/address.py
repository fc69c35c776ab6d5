"""The address of a target: what to connect to, and how to speak of it."""

from pathlib import Path
from urllib.parse import quote

from bus.address import Address as Parts
from bus.address import hide_words
from pydantic import SecretStr

from .ingress import key_in
from .settings import Relay
from .target import TargetError

_HTTP = {"whip": "http", "whips": "https"}


class Address:
    """A target with its secrets, which are read anew for each attempt.

    Only `shown` may go into logs and messages, and other texts only through `hide`.
    Raises TargetError when a secret's file cannot be read.
    """

    def __init__(self, relay: Relay) -> None:
        self._parts = Parts.parse(relay.url.get_secret_value())
        self.key = stream_key(relay)
        self.token = secret("token", relay.token, relay.token_file)
        self.username = relay.username or self._parts.username
        given = secret("password", relay.password, relay.password_file)
        self.password = given or self._parts.password

    @property
    def scheme(self) -> str:
        """The URL's own scheme; `http` and `https` are WHIP."""
        return self._parts.scheme

    @property
    def host(self) -> str:
        """Host and port as they stand in the URL."""
        return self._parts.host

    @property
    def port(self) -> int | None:
        """Where it is connected to."""
        return self._parts.port

    @property
    def full(self) -> str:
        """The URL to connect to, stream key included; user and password only where not HTTP."""
        scheme = _HTTP.get(self.scheme, self.scheme)
        path = self._parts.path
        path = f"{path.rstrip('/')}/{self.key}" if self.key else path
        http = scheme.startswith("http")
        login = "" if http or not self.username else quote(self.username, safe="")
        if login and self.password:
            login += f":{quote(self.password, safe='')}"
        query = f"?{self._parts.query}" if self._parts.query else ""
        return Parts(scheme, login, self.host, path + query).url

    @property
    def shown(self) -> str:
        """The address without user, password, path and query."""
        return self._parts.shown[:300]

    def hide(self, text: str) -> str:
        """Take whatever may be secret out of a text."""
        text = text.replace(self.full, self.shown)
        words = {self.key, *self.key.split("?"), self.token, self.username, self.password}
        return self._parts.hide(hide_words(text, words))


def stream_key(relay: Relay) -> str:
    """The stream key, from a file of its own or one that create-ingress wrote."""
    text = secret("stream_key", relay.stream_key, relay.stream_key_file)
    try:
        return key_in(text)
    except ValueError as error:
        raise TargetError(f"stream_key_file {relay.stream_key_file}: {error}") from None


def secret(name: str, value: SecretStr, file: Path | None) -> str:
    """A secret from its file, when one is named, else from the settings."""
    if file is None:
        return value.get_secret_value()
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise TargetError(f"{name}_file {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TargetError(f"{name}_file {file}: it is not text") from None
