"""One RTP stream to one viewer: RFC 3550, lost packets again by RFC 4588."""

import secrets
import struct

from aiortc.rtp import RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket
from bus import wall_clock

from .timeline import WRAP, Timeline, ntp_time
from .transport import Transport

KEPT = 512
"""Packets that can be asked for again: a power of two, half a second at 10 Mbit/s."""
HEAD = struct.Struct(">BBHII")
MARKER = 0x80


class RtpStream:
    """Numbers packets, remembers the last of them, and reports.

    Timestamps are those of the station's timeline: ticks of `tfdt`, modulo 2**32.
    """

    def __init__(
        self, transport: Transport, payload_type: int, rtx: int | None, extension: bytes
    ) -> None:
        self.ssrc, self.rtx_ssrc = secrets.randbits(32), secrets.randbits(32)
        self._transport = transport
        self._payload_type = payload_type
        self._rtx = rtx
        self._first = 0x90 if extension else 0x80
        self._extension = extension
        # Below half of the range, or a wrap with the first packets lost ends decryption.
        self._number, self._rtx_number = secrets.randbits(15), secrets.randbits(15)
        self._sent: list[tuple[int, int, int, bytes] | None] = [None] * KEPT
        self._packets = self._octets = 0

    def send(self, payloads: list[bytes], timestamp: int) -> None:
        """Send the packets of one picture or sound."""
        packets, number, extension = [], self._number, self._extension
        stamp, kind, last = timestamp % WRAP, self._payload_type, len(payloads) - 1
        for index, payload in enumerate(payloads):
            marked = kind | MARKER if index == last else kind
            self._sent[number % KEPT] = number, marked, stamp, payload
            head = HEAD.pack(self._first, marked, number, stamp, self.ssrc)
            packets.append(head + extension + payload)
            number = number + 1 & 0xFFFF
            self._octets += len(payload)
        self._number = number
        self._packets += len(packets)
        self._transport.send(packets)

    def send_again(self, numbers: list[int]) -> None:
        """Send what the viewer has not got, as far as it is still known."""
        packets = []
        for wanted in numbers:
            kept = self._sent[wanted % KEPT]
            if kept is None or kept[0] != wanted:
                continue
            number, marked, stamp, payload = kept
            if self._rtx is None:
                head = HEAD.pack(self._first, marked, number, stamp, self.ssrc)
            else:
                marked = marked & MARKER | self._rtx
                head = HEAD.pack(self._first, marked, self._rtx_number, stamp, self.rtx_ssrc)
                payload = number.to_bytes(2, "big") + payload
                self._rtx_number = self._rtx_number + 1 & 0xFFFF
            packets.append(head + self._extension + payload)
        self._transport.send(packets)

    def report(self, cname: str, timeline: Timeline) -> None:
        """Tell when timestamps are: what brings sound and picture together (§6.4.1)."""
        now = wall_clock.now()
        info = RtcpSenderInfo(
            ntp_timestamp=ntp_time(now),
            rtp_timestamp=timeline.at(now),
            packet_count=self._packets % WRAP,
            octet_count=self._octets % WRAP,
        )
        source = RtcpSourceInfo(ssrc=self.ssrc, items=[(1, cname.encode())])
        report = bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=info))
        self._transport.send_report(report + bytes(RtcpSdesPacket(chunks=[source])))
