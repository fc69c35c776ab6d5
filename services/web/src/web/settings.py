"""What can be set for the web service."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

import bus
from bus.livekit import Livekit
from bus.settings import Section
from bus.turn import Turn
from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

ADDRESS = r"^https?://[^/\s]+$"
"""The beginning of a URL, without a path."""
NAME = StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
Host = Annotated[str, NAME, AfterValidator(str.lower)]
Networks = tuple[IPv4Network | IPv6Network, ...]
Near = tuple[IPv4Network | IPv6Network | Literal["link"], ...]
"""Networks, and `link`: those that this machine is in at the moment (bus/networks.py)."""


def networks(*names: str) -> Networks:
    """Networks by their names, such as 10.0.0.0/8 or ::1/128."""
    return tuple(IPv6Network(name) if ":" in name else IPv4Network(name) for name in names)


LOOPBACK = networks("127.0.0.0/8", "::1/128")
PRIVATE = (
    *LOOPBACK,
    *networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
    *networks("fc00::/7", "fe80::/10"),
)
"""RFC 1918, RFC 3927, RFC 4193 and RFC 4291 §2.5.6."""


class Web(Section):
    """The table `[web]`."""

    name: str = Field(
        "", max_length=60, description="the station's name on its page; empty = Beeper Keeper"
    )
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 = any free one")
    media: Literal["embedded", "mediamtx"] = Field(
        "embedded", description="where the page takes WebRTC and HLS from"
    )
    hub: bool = Field(
        False, description="list the stations that are bridged to this broker, with a page for each"
    )
    max_stations: int = Field(100, ge=1, le=10_000, description="stations that a hub takes")
    max_viewers: int = Field(
        1000, ge=1, le=100_000, description="live sockets, and as many each of pages and MJPEG"
    )
    origins: tuple[str, ...] = Field(
        (), description="other origins whose pages may watch, such as https://example.org"
    )
    max_body: int = Field(
        65_536, ge=1024, le=16_777_216, description="bytes that a request may bring"
    )
    max_line: int = Field(8192, ge=512, le=65_536, description="bytes of a request line")
    max_head: int = Field(
        32_768, ge=2048, le=1_048_576, description="bytes of a request before its body"
    )
    max_headers: int = Field(100, ge=20, le=1000, description="headers of a request")
    max_idle: int = Field(
        128, ge=8, le=100_000, description="connections without a request from one address"
    )
    max_unread: int = Field(
        128, ge=8, le=100_000, description="answers of one address that are read slowly or not"
    )
    max_waiting: int = Field(
        33_554_432,
        ge=1_048_576,
        description="bytes of answers that wait for their readers, of one address a quarter",
    )
    head_wait: float = Field(10, ge=1, le=600, description="s to the end of a request's headers")
    body_wait: float = Field(20, ge=1, le=600, description="s from there to the end of its body")
    unread: float = Field(
        30, ge=1, le=600, description="s without a byte taken that end an answer's connection"
    )
    keep_alive: int = Field(15, ge=1, le=600, description="s between two requests")
    behind: float = Field(
        0.5, gt=0, le=10, description="s without acknowledgement that drop a viewer to a key frame"
    )
    unanswered: float = Field(
        10, gt=0, le=600, description="s without acknowledgement that end a viewer's connection"
    )
    linger: float = Field(10, ge=0, le=600, description="s that a camera is kept after the last")
    warm: float = Field(10, ge=0, le=600, description="s that a request for the page keeps cameras")
    lease: float = Field(10, ge=1, le=120, description="s of each lease on a camera or its JPEGs")
    stall: float = Field(2, gt=0, le=60, description="s without a frame that are said to the page")
    webrtc_wait: float = Field(6, gt=0, le=60, description="s to wait for the service webrtc")
    silent_after: float = Field(1.5, gt=0, le=60, description="s the broker may take to answer")
    socket_rate: float = Field(
        250, ge=10, le=100_000, description="messages a second that a WebSocket may send"
    )
    socket_burst: int = Field(
        4000, ge=50, le=100_000, description="messages at once that a WebSocket may send"
    )
    idle: float = Field(60, ge=1, le=3600, description="s after which a silent page is let go")
    ping: float = Field(20, ge=1, le=3600, description="s between pings, for the tunnels' sake")
    motor_wait: float = Field(2, gt=0, le=60, description="s the stepper may take to answer")
    jpeg_fps: float = Field(5, gt=0, le=30, description="MJPEG pictures a second")
    jpeg_wait: float = Field(4, gt=0, le=60, description="s to wait for the first picture")
    chat_wait: float = Field(4, gt=0, le=60, description="s to wait for an answer of chat")
    history_wait: float = Field(10, gt=0, le=60, description="s to wait for an answer of history")
    heartbeat_pause: float = Field(
        0.25, gt=0, le=10, description="s between heartbeats of one page that are passed on"
    )
    hls_segment: float = Field(2, ge=0.5, le=10, description="s of an HLS segment")
    hls_part: float = Field(
        0.2, ge=0.02, le=2, description="s of a part of it, about: three of them are HLS's delay"
    )
    hls_window: float = Field(20, ge=2, le=300, description="s of HLS that are kept")
    hls_wait: float = Field(8, gt=0, le=60, description="s to wait for what HLS players ask for")
    send_buffer: int = Field(
        65_536, ge=4096, le=4_194_304, description="bytes of the kernel's buffer for each socket"
    )
    unsent: int = Field(
        16_384, ge=4096, le=4_194_304, description="bytes of it that may wait for the network"
    )


class Access(Section):
    """The table `[access]`: who may watch, who may steer, and whose word counts for it."""

    anonymous: Near = Field(
        PRIVATE,
        description='networks from which anybody may watch, as local-<address>; "link" is those '
        "that this machine is in at the moment, itself included",
    )
    operators: tuple[str, ...] = Field(
        (),
        description="who may move and delete things: names, of who has an e-mail address the whole",
    )
    hosts: tuple[Host, ...] = Field(
        (),
        description="names of this station beside addresses and those at home (pi, pi.local): by "
        "others nobody may watch anonymously, such as camera.example.org",
    )
    proxies: Networks = Field(
        LOOPBACK, description="reverse proxies whose X-Forwarded-… headers are believed"
    )
    tunnels: Networks = Field(
        (), description="where cloudflared asks from: its CF-… headers are believed"
    )
    diagnostics: Near = Field(
        PRIVATE, description='networks that reach /docs, /openapi.json and /metrics; "link" too'
    )
    team_domain: str = Field(
        "",
        pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$",
        description="Cloudflare Access, such as example.cloudflareaccess.com; empty = not used",
    )
    audience: str = Field("", description="the Access application's AUD tag")
    keys_url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="where the team's public keys are; empty = at its domain",
    )
    keys_max_age: float = Field(3600, gt=0, description="s after which the keys are asked for anew")
    keys_pause: float = Field(60, gt=0, description="s between two requests for keys at least")
    keys_timeout: float = Field(5, gt=0, le=60, description="s that the key server may take")
    leeway: float = Field(10, ge=0, le=300, description="s by which clocks may differ")
    user_header: str = Field(
        "",
        pattern=r"^([A-Za-z0-9-]+)?$",
        description="in which the proxies say who has signed in there; empty = none",
    )
    password_file: Path | None = Field(
        None, description="made by `make user NAME=…`; default: users in state_dir"
    )
    session: float = Field(604_800, gt=0, description="s for which a password counts")
    password_rate: float = Field(0.2, gt=0, description="passwords a second from one address")
    password_burst: int = Field(5, ge=1, description="passwords at once from one address")
    account_rate: float = Field(
        0.1, gt=0, description="passwords a second for one account, from networks new to it"
    )
    account_burst: int = Field(
        20, ge=1, description="passwords at once for one account, from networks new to it"
    )
    rate: float = Field(10, gt=0, description="requests a second of one person, video excepted")
    burst: int = Field(100, ge=1, description="requests at once of one person")
    refused_rate: float = Field(
        10, gt=0, description="refused requests a second from one address; then all are: 429"
    )
    refused_burst: int = Field(200, ge=1, description="refused requests at once from one address")
    max_hops: int = Field(32, ge=1, le=1000, description="addresses that X-Forwarded-For may have")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.team_domain) != bool(self.audience):
            raise ValueError("team_domain and audience belong together: set both or neither")
        return self


class Mediamtx(Section):
    """The table `[mediamtx]`: where it is, and who may publish there."""

    api: str = Field("http://127.0.0.1:9997", pattern=ADDRESS, description="its control API")
    hls: str = Field("http://127.0.0.1:8888", pattern=ADDRESS, description="its HLS server")
    whep: str = Field("http://127.0.0.1:8889", pattern=ADDRESS, description="its WebRTC server")
    interval: float = Field(2, gt=0, le=60, description="s between two questions to its API")
    timeout: float = Field(10, gt=0, le=120, description="s that it may take to answer")
    servers: Networks = Field(
        LOOPBACK, description="networks from which it may ask who is there (/mediamtx/auth)"
    )
    username: str = Field("relay", min_length=1, description="who may publish: the relays' name")
    password: SecretStr = Field(SecretStr(""), description="better: password_file")
    password_file: Path | None = Field(
        None, description="a file that holds the relays' password; without one nobody may publish"
    )
    web_password: SecretStr = Field(
        SecretStr(""),
        description="what web shows MediaMTX; empty = made at each start; replicas share one",
    )

    def secret(self) -> str:
        """The relays' password; raises OSError when its file is unreadable."""
        if self.password_file:
            return self.password_file.read_text(encoding="utf-8").strip()
        return self.password.get_secret_value()


class Settings(bus.Settings):
    """All that the service reads."""

    web: Web = Web()
    access: Access = Access()
    mediamtx: Mediamtx = Mediamtx()
    livekit: Livekit = Livekit()
    turn: Turn = Turn()

    def with_viewers(self, most: int) -> Self:
        """The same with another `web.max_viewers`."""
        return self.model_copy(update={"web": self.web.model_copy(update={"max_viewers": most})})


def password_file(settings: Settings) -> Path:
    """Where the users stand who sign in with a password."""
    return settings.access.password_file or settings.state_dir / "users"
