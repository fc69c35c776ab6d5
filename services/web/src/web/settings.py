"""What can be set for the web service."""

import bus
from bus.settings import Section
from pydantic import Field


class Web(Section):
    """The table `[web]`."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 = any free one")
    max_viewers: int = Field(
        1000, ge=1, le=100_000, description="live sockets, and as many each of pages and MJPEG"
    )
    origins: tuple[str, ...] = Field(
        (), description="other origins whose pages may watch, such as https://example.org"
    )
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
    silent_after: float = Field(1.5, gt=0, le=60, description="s the broker may take to answer")
    idle: float = Field(60, ge=1, le=3600, description="s after which a silent page is let go")
    ping: float = Field(20, ge=1, le=3600, description="s between pings, for the tunnels' sake")
    jpeg_fps: float = Field(5, gt=0, le=30, description="MJPEG pictures a second")
    jpeg_wait: float = Field(4, gt=0, le=60, description="s to wait for the first picture")
    send_buffer: int = Field(
        65_536, ge=4096, le=4_194_304, description="bytes of the kernel's buffer for each socket"
    )
    unsent: int = Field(
        16_384, ge=4096, le=4_194_304, description="bytes of it that may wait for the network"
    )


class Settings(bus.Settings):
    """All that the service reads."""

    web: Web = Web()
