"""NUT: an incremental demuxer, and a muxer of one stream, from its specification.

ffmpeg's NUT muxer gives a frame away as soon as it has it, and a NUT frame says its own length, so
nobody waits for the next frame to learn that this one has ended.
"""

from media.nut.cursor import NutError
from media.nut.reader import NutReader, Packet
from media.nut.syntax import Stream
from media.nut.writer import NutWriter

__all__ = ["NutError", "NutReader", "NutWriter", "Packet", "Stream"]
