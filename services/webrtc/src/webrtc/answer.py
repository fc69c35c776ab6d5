"""The answer to a viewer: session descriptions of RFC 8866, as RFC 9429 wants them."""

from typing import NamedTuple

from aioice import Candidate
from aiortc.rtcdtlstransport import RTCDtlsFingerprint
from aiortc.sdp import MediaDescription

from .offer import Codec, Offer


class Sending(NamedTuple):
    """One track that will be sent.

    epoch: its RTP timestamp at the beginning of NTP's time. extensions: number and URI of each.
    """

    codec: Codec
    name: str
    ssrc: int
    rtx_ssrc: int
    epoch: int
    extensions: tuple[tuple[int, str], ...] = ()


class Local(NamedTuple):
    """This end of the transport; setup: active or passive (RFC 8842 §5.2)."""

    session: str
    username: str
    password: str
    fingerprints: list[RTCDtlsFingerprint]
    setup: str
    candidates: list[Candidate]


def write_answer(
    offer: Offer, local: Local, video: Sending, audio: Sending | None, cname: str
) -> str:
    """The answer; a sound that is asked for and not there is inactive, all else is rejected."""
    accepted = [media for media in (offer.video, offer.audio) if media]
    mids = [m for m in offer.bundle if m in {media.rtp.muxId for media in accepted}]
    lines = ["v=0", f"o=- {int(local.session[:12], 16)} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if mids:
        lines.append(f"a=group:BUNDLE {' '.join(mids)}")
    lines += ["a=msid-semantic: WMS *", "a=ice-options:trickle"]
    for media in offer.media:
        if media is offer.video:
            lines += section(media, local, video, cname)
        elif media is offer.audio:
            lines += section(media, local, audio, cname)
        else:
            lines += rejected(media)
    return "\r\n".join(lines) + "\r\n"


def section(
    media: MediaDescription, local: Local, sending: Sending | None, cname: str
) -> list[str]:
    """One section that is accepted."""
    kinds = formats(media, sending)
    lines = [f"m={media.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(kinds)}", "c=IN IP4 0.0.0.0"]
    lines += [f"a=mid:{media.rtp.muxId}", "a=rtcp-mux", "a=rtcp-rsize"]
    lines += transport(local)
    if sending is None:
        codec = next((c for c in media.rtp.codecs if str(c.payloadType) == kinds[0]), None)
        named = [f"a=rtpmap:{kinds[0]} {codec}"] if codec else []
        return [*lines, "a=inactive", *named]
    lines += ["a=sendonly", f"a=msid:{cname} {sending.name}"]
    # RFC 7273: when timestamps are. It is how the page knows the age of a picture.
    lines += ["a=ts-refclk:ntp=/traceable/", f"a=mediaclk:direct={sending.epoch}"]
    lines += [f"a=extmap:{number} {uri}" for number, uri in sending.extensions]
    return lines + codec_lines(media.kind, sending) + source_lines(sending, cname)


def formats(media: MediaDescription, sending: Sending | None) -> list[str]:
    """The payload types of a section."""
    if sending is None:
        return [str(media.fmt[0])]
    codec = sending.codec
    return [str(kind) for kind in (codec.payload_type, codec.rtx) if kind is not None]


def codec_lines(kind: str, sending: Sending) -> list[str]:
    """The codec and its retransmission."""
    number, rtx, parameters, feedback = sending.codec
    name = "H264/90000" if kind == "video" else "opus/48000/2"
    lines = [f"a=rtpmap:{number} {name}", f"a=fmtp:{number} {parameters}"]
    lines += [f"a=rtcp-fb:{number} {item}" for item in feedback]
    if rtx is not None:
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={number}"]
    return lines


def source_lines(sending: Sending, cname: str) -> list[str]:
    """Who sends; the same CNAME in every section says that they belong together."""
    lines = [f"a=ssrc:{sending.ssrc} cname:{cname}"]
    if sending.codec.rtx is not None:
        lines.insert(0, f"a=ssrc-group:FID {sending.ssrc} {sending.rtx_ssrc}")
        lines.append(f"a=ssrc:{sending.rtx_ssrc} cname:{cname}")
    return lines


def transport(local: Local) -> list[str]:
    """ICE and DTLS of this end."""
    lines = [f"a=ice-ufrag:{local.username}", f"a=ice-pwd:{local.password}"]
    lines += [f"a=fingerprint:{f.algorithm} {f.value}" for f in local.fingerprints]
    lines += [f"a=setup:{local.setup}"]
    lines += [f"a=candidate:{candidate.to_sdp()}" for candidate in local.candidates]
    return [*lines, "a=end-of-candidates"]


def rejected(media: MediaDescription) -> list[str]:
    """A section that is not wanted here: port 0."""
    lines = [f"m={media.kind} 0 {media.profile} {media.fmt[0]}", "c=IN IP4 0.0.0.0"]
    lines += [f"a=mid:{media.rtp.muxId}"] if media.rtp.muxId else []
    return [*lines, "a=inactive"]
