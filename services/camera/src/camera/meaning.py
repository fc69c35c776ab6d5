"""What ffmpeg's errors mean, said so that one knows what to do."""

import re

from media.cause import cause

from .address import Address
from .source import SourceError

_DEVICE = {
    "Device or resource busy": "busy, another program uses it",
    "Permission denied": "no permission",
    "Operation not permitted": "no permission",
    "No such device": "no device",
    "cannot open audio device": "no device",
}

_TRACKS = {
    r"Stream map '0:a.* matches no|set value '0:a\S*' for opt": "the camera has no sound",
    r"Stream map '0:v.* matches no|set value '0:v\S*' for opt": "the camera has no picture",
}


def in_words(error: SourceError, lines: list[str], source: Address | None = None) -> SourceError:
    """The meaning of ffmpeg's words.

    source: where the input is. For a device the words themselves follow; of an address they would
    say nothing more.
    """
    for sign, meaning in _TRACKS.items():
        if any(re.search(sign, line) for line in lines):
            return SourceError(meaning)
    if source and not source.is_file:
        return SourceError(cause(lines, login=source.has_login, port=source.port) or str(error))
    for sign, meaning in _DEVICE.items():
        for line in lines:
            if sign in line:
                return SourceError(f"{meaning}: {line}")
    return error
