"""Writes what `media` makes of known values to stdout, for the tests of the page that reads it."""

import base64
import json
import sys

from media.cmaf import AUDIO_TRACK, VIDEO_TRACK, fragment, opus_init, video_init

PPS = bytes.fromhex("68cb83cb20")
# x264, 160x120, baseline.
SPS = bytes.fromhex("6742c00bd902847e5c0440000003004000000c83c50a92")


def encoded(data: bytes) -> str:
    """Base64, for JSON."""
    return base64.b64encode(data).decode()


BOOT = 7_776_000.5
"""Ninety days of uptime in seconds: tfdt far beyond 32 bits."""

json.dump(
    {
        "video_init": encoded(video_init(SPS, PPS)),
        "audio_init": encoded(opus_init()),
        "key": encoded(
            fragment(VIDEO_TRACK, 4294967295, int(BOOT * 90_000), 3000, 1.8e9 + 0.25, b"\0\1", True)
        ),
        "delta": encoded(fragment(VIDEO_TRACK, 0, 12, 6000, 2.2e9, b"\7" * 9, False)),
        "sound": encoded(fragment(AUDIO_TRACK, 5, 48_000, 960, 1.8e9, b"\xfc", True)),
    },
    sys.stdout,
)
