"""The address of a machine of others: its parts (RFC 3986), and what of it may be told.

User, password, path, query and fragment may all be secrets: cameras take passwords in the query and
in the path, RTMP a key as the path's last part, and some cameras have nothing but a secret path.
"""

import ipaddress
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote, unquote

LONGEST = 2000
"""Characters: ffmpeg's own limit is 4096."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(%[\w.~%-]+)?\]|[^\[\]:@\s]*)(:\d{1,5})?")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FIELD = re.compile(r"(?:^|[_&;])[A-Za-z]+=")
_PORTS = {
    **{"http": 80, "whip": 80, "https": 443, "whips": 443, "rtmps": 443},
    **{"rtsp": 554, "rtsps": 322, "rtmp": 1935},
}
_SHORT = 3
"""Characters of a part of path or query below which it is no secret, but a channel or the like."""


class AddressError(ValueError):
    """What is wrong with an address; shows nothing of it but the character to encode."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """The parts of an address, percent-encoded as they were written.

    scheme: in lower case, without `://`; host: with port and brackets; tail: path, query and
    fragment. Only `shown` may go into logs and messages, other texts only through `hide`.
    """

    scheme: str
    userinfo: str
    host: str
    tail: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Take an address apart; AddressError says which character has to be encoded."""
        found = _SCHEME.fullmatch(url)
        if len(url) > LONGEST or not url.isprintable() or not found:
            raise AddressError(_unreadable(url))
        scheme, rest = found[1].lower(), found[2]
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        userinfo, at, host = authority.rpartition("@")
        tail = rest[len(authority) :]
        _check_behind(authority, tail)
        _check_userinfo(userinfo)
        if not _HOST.fullmatch(host):
            raise AddressError("its host and port cannot be read: host, host:554 or [IPv6]:554")
        if not host and not at and scheme != "file":
            raise AddressError("it names no host")
        if " " in tail:
            raise AddressError("it contains ' ': write it as %20")
        return cls(scheme, userinfo, host, tail)

    @property
    def url(self) -> str:
        """The whole address: for whoever connects, never to be told."""
        at = "@" if self.userinfo else ""
        return f"{self.scheme}://{self.userinfo}{at}{self.host}{self.tail}"

    @property
    def bare(self) -> str:
        """The whole address without user and password, fragment left out."""
        return f"{self.scheme}://{self.host}{self.tail.partition('#')[0]}"

    @property
    def port(self) -> int | None:
        """The port, or else that of the scheme; None when neither says."""
        found = re.search(r":(\d+)$", self.host)
        return int(found[1]) if found else _PORTS.get(self.scheme)

    @property
    def path(self) -> str:
        """The path as it was written."""
        return re.split(r"[?#]", self.tail, maxsplit=1)[0]

    @property
    def query(self) -> str:
        """The query as it was written, without its `?`."""
        return self.tail.partition("#")[0].partition("?")[2]

    @property
    def username(self) -> str:
        """The user's name, decoded."""
        return unquote(self.userinfo.partition(":")[0])

    @property
    def password(self) -> str:
        """The password, decoded."""
        return unquote(self.userinfo.partition(":")[2])

    @property
    def shown(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.host}" + ("/…" if len(self.tail) > 1 else "")

    def hide(self, text: str) -> str:
        """Take this address, its parts and all that other addresses may hold out of a text."""
        text = text.replace(self.url, self.shown)
        return hide_addresses(hide_words(text, self.words()))

    def words(self) -> set[str]:
        """Every part that may be a secret by itself."""
        pieces = re.split(r"[/?#]", self.tail)
        # XMEye has /user=admin_password=secret_channel=1.sdp in its path.
        fields = [field for piece in pieces for field in _FIELD.split(piece)]
        values = re.split(r"[/?#&=,;:!]", self.tail)
        parts = {*pieces, *fields, *values, self.path.strip("/"), self.query}
        login = f"{self.username}:{self.password}" if self.userinfo else ""
        basic = b64encode(login.encode()).decode()
        told = {part for part in parts if len(part) >= _SHORT}
        return told | {self.userinfo, self.username, self.password, basic}


def hide_words(text: str, words: set[str]) -> str:
    """Take secrets out of a text, however they are percent-encoded."""
    forms = {form for word in words for form in (word, unquote(word), quote(word, safe=""))}
    forms |= {re.sub(r"%..", lambda code: code[0].lower(), form) for form in forms}
    for form in sorted(forms - {""}, key=len, reverse=True):
        pattern = re.escape(form)
        if form.isalpha() or len(form) < _SHORT:
            # A user named "cam" must not turn a camera into "…era".
            pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
        text = re.sub(pattern, "…", text)
    return text


def hide_logins(text: str) -> str:
    """Take user, password and query out of every address in a text."""
    # To the last @, since a password may hold whatever ends an address elsewhere.
    text = re.sub(r"(\b[A-Za-z][\w+.-]*://)[^\n]*@", r"\1", text)
    return re.sub(r"(\b[A-Za-z][\w+.-]*://[^\s?#'\"]*)[?#][^\s'\"]+", r"\1?…", text)


def hide_addresses(text: str) -> str:
    """Leave only scheme, host and port of every address in a text."""
    return re.sub(
        r"(\b[A-Za-z][\w+.-]*://)([^\s/?#'\"]*)([/?#][^\s'\"]*)?", _host_alone, hide_logins(text)
    )


def _host_alone(found: re.Match[str]) -> str:
    scheme, host, tail = found[1], found[2], found[3] or ""
    end = re.search(r"[:,;.)\]]*$", tail or host)
    stop = end[0] if end else ""
    host = host if tail else host.removesuffix(stop)
    host = host if _HOST.fullmatch(host) else "…"
    return scheme + host + ("/…" if len(tail.removesuffix(stop)) > 1 else "") + stop


def _unreadable(url: str) -> str:
    if len(url) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if not url.isprintable():
        return "it contains a control character, such as a line's end"
    return "it begins with no scheme, such as rtsp://"


def _check_behind(authority: str, tail: str) -> None:
    """An @ behind a /, ? or # is that of a login, unless the host cannot be anything else."""
    before, at, _ = tail.rpartition("@")
    if not at or _is_host(authority) or (":" not in authority + before and "@" not in authority):
        return
    sign = tail[0]
    if ":" in authority and not _HOST.fullmatch(authority.rpartition("@")[2]):
        raise AddressError(_encode("password", sign))
    raise AddressError(
        f"it contains '@' behind '{sign}': if '{sign}' is part of the password, write it as "
        f"{quote(sign, safe='')}, else write the '@' as %40"
    )


def _is_host(authority: str) -> bool:
    name = re.sub(r":\d{1,5}$", "", authority)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name == "localhost"
    return True


def _check_userinfo(userinfo: str) -> None:
    user, _, password = userinfo.partition(":")
    for what, text in (("user name", user), ("password", password)):
        if wrong := re.search(r"[@\[\] ]", text) or _BARE_PERCENT.search(text):
            raise AddressError(_encode(what, wrong[0]))


def _encode(what: str, sign: str) -> str:
    return f"the {what} contains '{sign}': write it as {quote(sign, safe='')}"
