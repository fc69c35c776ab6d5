"""Fragments as encoded packets of aiortc tracks: H.264 and Opus untouched."""

import asyncio
from fractions import Fraction
from typing import Any, Literal

import av
from aiortc import MediaStreamTrack
from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE
from media.cmaf import FragmentHeader, Init
from media.h264 import H264Error, annex_b, split_length_prefixed

_WAITING = 100
"""Packets that may wait before they are dropped to the next key frame: 3 s of video."""


class PacketTrack(MediaStreamTrack):
    """One track; begins with a key frame, and so does what follows a loss."""

    def __init__(self, kind: Literal["video", "audio"], init: Init) -> None:
        super().__init__()
        self.kind = kind
        self.dropped = 0
        self._scale = VIDEO_TIMESCALE if kind == "video" else AUDIO_TIMESCALE
        self._sets = list(init.parameter_sets)
        self._packets: asyncio.Queue[av.Packet[Any]] = asyncio.Queue(_WAITING)
        self._skipping = True

    def put(self, header: FragmentHeader, sample: bytes) -> None:
        """Take the sample of a fragment, now or never."""
        if self._packets.full():
            self._skipping = True
        elif header.key:
            self._skipping = False
        if self._skipping:
            self.dropped += 1
            return
        try:
            packet = av.Packet(self._payload(sample, header.key))
        except H264Error:
            self._skipping = True
            return
        packet.pts, packet.time_base = header.tfdt, Fraction(1, self._scale)
        self._packets.put_nowait(packet)

    async def recv(self) -> "av.Packet[Any]":
        """See aiortc.MediaStreamTrack."""
        return await self._packets.get()

    def _payload(self, sample: bytes, key: bool) -> bytes:
        if self.kind == "audio":
            return sample
        nals = split_length_prefixed(sample)
        return annex_b(self._sets + nals if key else nals)
