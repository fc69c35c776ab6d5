"""ffmpeg as this service uses it: one process a track, NUT out, nothing held back."""

import subprocess
from collections.abc import Callable, Sequence

from media.h264 import split_annex_b
from media.nut import NutReader, Packet, Stream

from .address import Address
from .child import Child
from .meaning import in_words
from .settings import Camera

START = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
OUT = ["-f", "nut", "-flush_packets", "1", "pipe:1"]
"""NUT says the length of a packet before the packet, and its muxer writes each at once: fMP4 and
raw H.264 keep a frame back until the next one comes."""

OnPacket = Callable[[Stream, Packet], None]


def x264(camera: Camera) -> list[str]:
    """Constrained baseline without delay, with key frames by time.

    By time, since a counted group stretches when a camera slows down in the dark; since the last
    key frame and not since the start, since timestamps may begin anywhere and may leap.
    """
    key = f"expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{camera.key_interval:g}-0.001))"
    return [
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
        *("-profile:v", "baseline", "-pix_fmt", "yuv420p", "-bf", "0", "-sc_threshold", "0"),
        *("-b:v", f"{camera.bitrate_kbps}k", "-maxrate", f"{camera.bitrate_kbps}k"),
        *("-bufsize", f"{camera.buffer}k", "-g", "100000", "-keyint_min", "1"),
        *("-force_key_frames", key, "-forced-idr", "1"),
        # Every frame that comes in goes out, under its own time: a constant rate would wait.
        *("-fps_mode", "passthrough", "-enc_time_base", "1:90000"),
        *OUT,
    ]


def opus(kbps: int) -> list[str]:
    """Opus mono in 20 ms packets; time is counted in samples, see clocks.SampleClock."""
    return [
        *("-vn", "-ac", "1", "-ar", "48000", "-af", "asetpts=N/SR/TB", "-c:a", "libopus"),
        *("-b:a", f"{kbps}k", "-application", "lowdelay", "-frame_duration", "20"),
        *OUT,
    ]


def units(stream: Stream, packet: Packet) -> list[bytes]:
    """The NAL units of a packet; before a key frame the parameter sets of the stream's header."""
    nals = split_annex_b(packet.data)
    return split_annex_b(stream.extradata) + nals if packet.key else nals


async def run(
    arguments: Sequence[str],
    on_packet: OnPacket,
    *,
    stdin: int = subprocess.DEVNULL,
    source: Address | None = None,
) -> None:
    """Run ffmpeg until it ends or this is cancelled; each packet goes to `on_packet` at once.

    source: where its input is, of which nothing is told. Always raises: SourceError says why it
    ended.
    """
    reader = NutReader()

    def take(data: bytes) -> None:
        for packet in reader.feed(data):
            on_packet(reader.streams[packet.stream], packet)

    hide: Callable[[str], str] = source.hide if source else str
    child = await Child.start([*START, *arguments], take, stdin=stdin, hide=hide)
    try:
        raise in_words(await child.failure(), child.complaint.lines, source)
    finally:
        await child.end()
