"""The address of a foreign source: how ffmpeg has to open it, and how to speak of it."""

import re
from urllib.parse import unquote, urlsplit

_PROTOCOLS = {
    "file": "file",
    "http": "http,https,tcp,tls",
    "https": "http,https,tcp,tls",
    "tcp": "tcp",
    "udp": "udp",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtmp": "rtmp,tcp",
    "srt": "srt",
}
"""What an opened source may open in turn: a playlist from outside must not read local files."""

_LIVE = ["-fflags", "nobuffer", "-fpsprobesize", "0", "-analyzeduration", "2000000"]


class Address:
    """A URL. Only `shown` may go into logs and messages."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._parts = urlsplit(url)

    @property
    def is_file(self) -> bool:
        """Whether it is a recording on this machine."""
        return self._parts.scheme == "file"

    @property
    def shown(self) -> str:
        """The address without user, password, query and fragment."""
        parts = self._parts
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def hide(self, text: str) -> str:
        """Take whatever may be secret out of a text."""
        text = text.replace(self._url, self.shown)
        for secret in self._secrets():
            text = text.replace(secret, "…")
        # ffmpeg may show other addresses too, such as those in a playlist.
        return re.sub(r"(\w+://)[^/\s@]*@", r"\1", text)

    def _secrets(self) -> list[str]:
        parts = self._parts
        found = {parts.username, parts.password, parts.query, parts.fragment}
        words = [word for word in found if word]
        words += [unquote(word) for word in words]
        return sorted(words, key=len, reverse=True)

    def options(self, *, paced: bool = False) -> list[str]:
        """ffmpeg's input options and the input; `paced` reads at the recording's own speed."""
        scheme = self._parts.scheme
        options = ["-protocol_whitelist", _PROTOCOLS[scheme]]
        if self.is_file:
            return [*options, "-re", "-stream_loop", "-1", "-i", f"file:{self._path()}"]
        if scheme == "rtsp":
            options += ["-rtsp_transport", "tcp"]
        options += ["-re"] if paced else _LIVE
        return [*options, "-i", self._url]

    def _path(self) -> str:
        return unquote(self._url.removeprefix("file:").removeprefix("//"))
