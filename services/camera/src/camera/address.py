"""The address of a foreign source: how ffmpeg has to open it, and how to speak of it."""

import re
from urllib.parse import unquote

from bus.address import Address as Parts

_PROTOCOLS = {
    "file": "file",
    "http": "http,https,tcp,tls",
    "https": "http,https,tcp,tls",
    "tcp": "tcp",
    "udp": "udp",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsp,rtp,tls,tcp",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "srt": "srt",
}
"""What an opened source may open in turn: a playlist from outside must not read local files."""

_OPEN = frozenset(("tcp", "udp"))
"""Bare sockets: nothing of their addresses but the socket's own options reaches anybody."""

_SOCKET = re.compile(
    r"(listen|listen_timeout|timeout|localaddr|localport|buffer_size|recv_buffer_size|pkt_size"
    r"|fifo_size|overrun_nonfatal|reuse|ttl|sources|tcp_nodelay|tcp_mss)=[0-9A-Fa-f.:,]*"
)

_LIVE = {"fpsprobesize": "0", "analyzeduration": "2000000"}


class Address:
    """A URL. Only `shown` may go into logs and messages; AddressError when it cannot be read."""

    def __init__(self, url: str) -> None:
        self.is_file = url.lower().startswith("file:")
        """Whether it is a recording on this machine."""
        self._file = unquote(url[len("file:") :].removeprefix("//")) if self.is_file else ""
        self._parts = Parts("file", "", "", self._file) if self.is_file else Parts.parse(url)

    @property
    def may_be_bare(self) -> bool:
        """Whether it may give pictures without a container."""
        return self._parts.scheme == "tcp"

    @property
    def shown(self) -> str:
        """The address without user, password, path, query and fragment; a file's name in full."""
        return f"file://{self._file}" if self.is_file else self._parts.shown

    @property
    def has_login(self) -> bool:
        """Whether user and password are part of it."""
        return bool(self._parts.userinfo)

    @property
    def http(self) -> Parts | None:
        """Its parts, if HTTP leads there."""
        return self._parts if self._parts.scheme in ("http", "https") else None

    @property
    def port(self) -> int | None:
        """Where it is connected to."""
        return self._parts.port

    def hide(self, text: str) -> str:
        """Take whatever may be secret out of a text."""
        return text if self.is_file else self._parts.hide(text)

    def options(self, *, paced: bool = False) -> list[str]:
        """ffmpeg's input options and the input; `paced` reads at the recording's own speed.

        Whatever is no file stands in `script`, which ffmpeg reads from its stdin: its command line
        is for everybody to read.
        """
        scheme = self._parts.scheme
        if self.is_file:
            whitelist = ["-protocol_whitelist", _PROTOCOLS["file"]]
            return [*whitelist, "-re", "-stream_loop", "-1", "-i", f"file:{self._file}"]
        if scheme in _OPEN:
            whitelist = ["-protocol_whitelist", _PROTOCOLS[scheme]]
            return [*self.flags(paced=paced), *whitelist, "-i", self._without_secrets()]
        allowed = f"pipe,{_PROTOCOLS[scheme]}"
        # As it is in the source: converted, lengths before NAL units would become start codes.
        concat = ["-f", "concat", "-safe", "0", "-auto_convert", "0"]
        whitelist = ["-protocol_whitelist", allowed]
        return [*self.flags(paced=paced), *concat, *whitelist, "-i", "pipe:0"]

    def flags(self, *, paced: bool = False) -> list[str]:
        """The options of any input: without delay, or at a recording's own speed."""
        if paced:
            return ["-re"]
        return [part for key, value in _LIVE.items() for part in (f"-{key}", value)]

    def script(self, *, paced: bool = False) -> bytes | None:
        """What ffmpeg opens by `options`, in the words of its concat demuxer; None without any."""
        scheme = self._parts.scheme
        if self.is_file or scheme in _OPEN:
            return None
        options = {"protocol_whitelist": _PROTOCOLS[scheme]} | ({} if paced else _LIVE)
        if scheme.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        if scheme in ("https", "rtsps", "rtmps"):
            # Cameras sign their certificates themselves. FFmpeg checks none for RTSP before 9.
            options["tls_verify"] = "0"
        quoted = self._parts.url.replace("'", "'\\''")
        lines = ["ffconcat version 1.0", f"file '{quoted}'"]
        lines += [f"option {key} {value}" for key, value in options.items()]
        return "\n".join([*lines, ""]).encode()

    def _without_secrets(self) -> str:
        options = [one for one in self._parts.query.split("&") if _SOCKET.fullmatch(one)]
        query = f"?{'&'.join(options)}" if options else ""
        return f"{self._parts.scheme}://{self._parts.host}{query}"
