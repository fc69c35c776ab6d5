"""One track of a camera as its header announces it, framed for the viewers."""

import json
from dataclasses import dataclass

from media.cmaf import Init

from .wire import binary_frame, text_frame


@dataclass(frozen=True, slots=True)
class Track:
    """The retained header of a track and the session that its fragments belong to."""

    name: str
    session: str
    init: bytes
    about: Init
    frames: bytes
    """The `track` message and the header, as they go over the wire."""


def read_track(name: str, init: bytes, session: str) -> Track:
    """Check a header and make it ready; raises CmafError when it is none."""
    about = Init.parse(init)
    message: dict[str, object] = {
        "type": "track",
        "track": name,
        "session": session,
        "codecs": about.codecs,
    }
    if about.width:
        message |= {"width": about.width, "height": about.height}
    frames = text_frame(json.dumps(message)) + binary_frame(init)
    return Track(name, session, init, about, frames)
