"""The head of a request: method, target and host, as RFC 9110 and RFC 9112 want them."""

import re

import httptools

HOST = re.compile(rb"([A-Za-z0-9._~%\x80-\xff-]+|\[[0-9A-Fa-f:.]+\])(:\d{0,5})?")
"""uri-host and port of RFC 9110 §7.2, without what no name on a network has.

Whether a name is ours, such as one of other letters, is for `hosts` to say.
"""
METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} ")
VERSIONS = ("1.0", "1.1")
ABSOLUTE = (b"http://", b"https://")

Fields = list[tuple[bytes, bytes]]


class RequestError(Exception):
    """A head that makes no sense; the text says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def no_method(data: bytes) -> tuple[int, str]:
    """Status and reason for what the parser takes for no method."""
    if METHOD.match(data):
        return 501, "this method is not known here"
    if data.startswith(b"\x16\x03"):
        return 400, "this port speaks HTTP, not HTTPS"
    return 400, "this is no HTTP request"


def check(method: bytes, target: bytes, version: str, headers: Fields) -> bytes:
    """The target in origin form; raises RequestError for a head that makes no sense.

    The host of a target in absolute form takes the place of `Host`: RFC 9112 §3.2.2.
    """
    if version not in VERSIONS:
        raise RequestError(505, "HTTP/1.1 is spoken here")
    if method == b"CONNECT":
        raise RequestError(405, "this is no proxy")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise RequestError(400, f"a request has one Host, not {len(hosts)}")
    if any(host and not HOST.fullmatch(host) for host in hosts):
        raise RequestError(400, "the Host of the request is none")
    if target.lower().startswith(ABSOLUTE):
        target, host = relative(target)
        headers[:] = [(b"host", host), *((n, v) for n, v in headers if n != b"host")]
    return b"/*" if target == b"*" else checked(target)


def relative(target: bytes) -> tuple[bytes, bytes]:
    """Path with query, and the host, of a target in absolute form; raises RequestError."""
    authority, slash, rest = target.partition(b"://")[2].partition(b"/")
    authority, mark, query = authority.partition(b"?")
    if not HOST.fullmatch(authority):
        raise RequestError(400, "the host of the request is none")
    return b"/" + (mark + query if mark else b"") + slash[1:] + rest, authority


def checked(target: bytes) -> bytes:
    """A target that can be parsed; raises RequestError."""
    try:
        path = httptools.parse_url(target).path
    except httptools.HttpParserInvalidURLError:
        path = None
    if not path or not target.startswith(b"/") or not path.isascii():
        raise RequestError(400, "the target of the request is no path")
    return target
