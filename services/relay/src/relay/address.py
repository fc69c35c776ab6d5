"""The address of a target: what to connect to, and how to speak of it."""

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

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
        self._url = relay.url.get_secret_value()
        self._parts = urlsplit(self._url)
        self.key = stream_key(relay)
        self.token = secret("token", relay.token, relay.token_file)
        self.username = relay.username or unquote(self._parts.username or "")
        given = secret("password", relay.password, relay.password_file)
        self.password = given or unquote(self._parts.password or "")

    @property
    def scheme(self) -> str:
        """The URL's own scheme; `http` and `https` are WHIP."""
        return self._parts.scheme

    @property
    def host(self) -> str:
        """Host and port as they stand in the URL."""
        return self._parts.netloc.rpartition("@")[2]

    @property
    def full(self) -> str:
        """The URL to connect to, stream key included; user and password only where not HTTP."""
        scheme = _HTTP.get(self.scheme, self.scheme)
        path = f"{self._parts.path.rstrip('/')}/{self.key}" if self.key else self._parts.path
        http = scheme.startswith("http")
        login = "" if http or not self.username else quote(self.username, safe="")
        if login and self.password:
            login += f":{quote(self.password, safe='')}"
        netloc = f"{login}@{self.host}" if login else self.host
        return urlunsplit((scheme, netloc, path, self._parts.query, ""))

    @property
    def shown(self) -> str:
        """The address without user, password, query and, of RTMP, all behind the application."""
        path = self._parts.path
        if self.scheme.startswith("rtmp"):
            path = "/".join(path.split("/")[:2])
        return f"{self.scheme}://{self.host}{path}"[:300]

    def hide(self, text: str) -> str:
        """Take whatever may be secret out of a text."""
        for address in (self.full, self._url):
            text = text.replace(address, self.shown)
        for word in self._secrets():
            text = text.replace(word, "…")
        return re.sub(r"(\w+://)[^/\s]*@", r"\1", text)

    def _secrets(self) -> list[str]:
        query = self._parts.query
        found = {self.key, self.token, self.password, self._parts.password or "", query}
        if self.scheme.startswith("rtmp"):
            found.add("/".join(self._parts.path.split("/")[2:]))
        found |= {quote(word, safe="") for word in found}
        return sorted((word for word in found if word), key=len, reverse=True)


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
