"""A viewer's offer: what it asks for, as far as a camera can give it."""

from collections import Counter
from typing import NamedTuple

from aioice import Candidate
from aiortc.rtcdtlstransport import RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters, candidate_to_aioice
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.sdp import (
    H264Profile,
    MediaDescription,
    SessionDescription,
    candidate_from_sdp,
    parse_h264_profile_level_id,
)

PLAYS: dict[H264Profile, tuple[H264Profile, ...]] = {
    H264Profile.PROFILE_CONSTRAINED_BASELINE: (
        H264Profile.PROFILE_CONSTRAINED_BASELINE,
        H264Profile.PROFILE_BASELINE,
        H264Profile.PROFILE_MAIN,
        H264Profile.PROFILE_CONSTRAINED_HIGH,
        H264Profile.PROFILE_HIGH,
    ),
    H264Profile.PROFILE_BASELINE: (
        H264Profile.PROFILE_BASELINE,
        H264Profile.PROFILE_CONSTRAINED_BASELINE,
    ),
    H264Profile.PROFILE_MAIN: (H264Profile.PROFILE_MAIN, H264Profile.PROFILE_HIGH),
    H264Profile.PROFILE_CONSTRAINED_HIGH: (
        H264Profile.PROFILE_CONSTRAINED_HIGH,
        H264Profile.PROFILE_HIGH,
    ),
    H264Profile.PROFILE_HIGH: (
        H264Profile.PROFILE_HIGH,
        H264Profile.PROFILE_CONSTRAINED_HIGH,
    ),
}
"""Of a stream's profile those that play it, best first (ITU-T H.264 annex A)."""
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"


MAX_SECTIONS = 8
"""m-lines of an offer: a browser that watches has one or two."""
MAX_LINES = 2000
"""Lines of an offer: with every codec that it knows a browser's section has about 300."""
MAX_CANDIDATES = 100
"""Candidates of one viewer; RFC 8445 §6.1.2.5 checks as many pairs."""
MAX_OF_A_KIND = {
    **{"a=rtpmap:": 256, "a=fmtp:": 256, "a=rtcp-fb:": 1024, "a=extmap:": 256},
    **{"a=candidate:": MAX_CANDIDATES, "a=fingerprint:": 16, "a=group:": 8},
    **{"a=ssrc:": 64, "a=ssrc-group:": 16, "a=rid:": 32},
}
"""Lines of one attribute in an offer."""
MAX_FORMATS = 3 + 128
"""Words of an m-line: kind, port, protocol, and payload types of 7 bits."""


class Unacceptable(ValueError):
    """Why an offer cannot be answered; `code` is the HTTP status code for it."""

    def __init__(self, reason: str, code: int = 422) -> None:
        super().__init__(reason)
        self.code = code


class Codec(NamedTuple):
    """How a track is sent: payload types, the parameters to answer, the feedback to take."""

    payload_type: int
    rtx: int | None
    parameters: str
    feedback: tuple[str, ...]


class Offer(NamedTuple):
    """What matters of an offer."""

    media: list[MediaDescription]
    bundle: list[str]
    video: MediaDescription
    audio: MediaDescription | None

    @property
    def tagged(self) -> MediaDescription:
        """The section whose transport all the others share (RFC 9143 §7.2)."""
        used = [media for media in (self.video, self.audio) if media]
        by_mid = {media.rtp.muxId: media for media in used}
        return next((by_mid[mid] for mid in self.bundle if mid in by_mid), self.video)

    @property
    def ice(self) -> RTCIceParameters:
        """The viewer's name and password."""
        return self.tagged.ice or RTCIceParameters()

    @property
    def candidates(self) -> list[Candidate]:
        """Where the viewer may be reached."""
        return [candidate_to_aioice(candidate) for candidate in self.tagged.ice_candidates]

    @property
    def dtls(self) -> RTCDtlsParameters:
        """The viewer's fingerprints and role."""
        return self.tagged.dtls or RTCDtlsParameters()


def read_offer(sdp: str) -> Offer:
    """Read an offer; Unacceptable says what it lacks."""
    check_size(sdp)
    try:
        description = SessionDescription.parse(sdp)
    # aiortc's parser meets whatever strangers send, and has no error of its own for it.
    except Exception as error:  # noqa: BLE001
        raise Unacceptable(f"that is no session description: {error!r}", 400) from None
    bundle = next((group.items for group in description.group if group.semantic == "BUNDLE"), [])
    wanted = [
        media for media in description.media if media.direction in (None, "sendrecv", "recvonly")
    ]
    video = next((media for media in wanted if media.kind == "video" and media.port), None)
    if video is None:
        raise Unacceptable("the offer has no video that may be sent to the viewer", 400)
    audio = next((m for m in wanted if m.kind == "audio" and m.rtp.muxId in bundle), None)
    mids = [str(mid) for mid in bundle] if video.rtp.muxId in bundle else []
    offer = Offer(description.media, mids, video, audio if mids else None)
    check(offer)
    return offer


def check_size(sdp: str) -> None:
    """Refuse what is no viewer's offer before anything is made of it; raises Unacceptable 400."""
    lines = sdp.splitlines()
    sections = sum(line.startswith("m=") for line in lines)
    if sections > MAX_SECTIONS:
        raise Unacceptable(f"the offer has {sections} m-lines, at most {MAX_SECTIONS}", 400)
    if len(lines) > MAX_LINES:
        raise Unacceptable(f"the offer has {len(lines)} lines, at most {MAX_LINES}", 400)
    kinds = Counter(line[: line.find(":") + 1] for line in lines)
    for kind, most in MAX_OF_A_KIND.items():
        if kinds[kind] > most:
            raise Unacceptable(f"the offer has {kinds[kind]} lines {kind}…, at most {most}", 400)
    if any(len(line.split()) > MAX_FORMATS for line in lines if line.startswith("m=")):
        raise Unacceptable(f"an m-line has more than {MAX_FORMATS} words", 400)


def check(offer: Offer) -> None:
    """What every WebRTC transport has (RFC 8834 §4.5, RFC 8839 §5.4, RFC 8842 §5)."""
    if not offer.ice.usernameFragment or not offer.ice.password:
        raise Unacceptable("the offer has no ice-ufrag or no ice-pwd", 400)
    if not offer.dtls.fingerprints:
        raise Unacceptable("the offer has no fingerprint or no setup", 400)
    if not offer.video.rtcp_mux:
        raise Unacceptable("the offer has no rtcp-mux", 400)


def choose_h264(media: MediaDescription, codecs: str) -> Codec:
    """The offered payload type for a stream of these `codecs` (RFC 6381, such as avc1.42C01F)."""
    stream = codecs.rpartition(".")[2].lower()
    offered = [codec for codec in media.rtp.codecs if is_h264(codec)]
    if not offered:
        raise Unacceptable("the offer has no H.264 with packetization-mode=1")
    known = profile(stream)
    plays = PLAYS.get(known, ()) if known else ()
    # Decoders know more profiles than browsers offer: better to try than to refuse.
    best = min(
        offered,
        key=lambda c: plays.index(p) if (p := profile(level_id(c))) in plays else len(plays),
    )
    parameters = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
    parameters += level_id(best)[:4] + stream[4:]
    return Codec(payload_type(best), rtx_of(media, best), parameters, feedback(best))


def choose_opus(media: MediaDescription) -> Codec | None:
    """The offered payload type for Opus (RFC 7587); None when there is none."""
    for codec in media.rtp.codecs:
        if codec.mimeType.lower() == "audio/opus" and codec.clockRate == 48_000:
            return Codec(payload_type(codec), None, "minptime=10;useinbandfec=1", ())
    return None


def extension_id(media: MediaDescription, uri: str) -> int | None:
    """The number under which an RTP header extension of one byte is offered (RFC 8285 §4.2)."""
    found = (item.id for item in media.rtp.headerExtensions if item.uri == uri)
    return next((number for number in found if 0 < number < 15), None)


def read_candidates(fragment: str) -> list[Candidate]:
    """The candidates of a trickle-ice-sdpfrag (RFC 8840 §9); Unacceptable when they are none."""
    lines = [line.strip() for line in fragment.splitlines()]
    if sum(line.startswith("a=candidate:") for line in lines) > MAX_CANDIDATES:
        raise Unacceptable(f"more than {MAX_CANDIDATES} candidates", 400)
    try:
        found = [candidate_from_sdp(line[12:]) for line in lines if line.startswith("a=candidate:")]
    except (ValueError, AssertionError, IndexError):
        raise Unacceptable("the fragment has a candidate that is none", 400) from None
    return [candidate_to_aioice(candidate) for candidate in found]


def fragment_value(fragment: str, attribute: str) -> str | None:
    """The first value of an attribute such as ice-ufrag."""
    start = f"a={attribute}:"
    lines = (line.strip() for line in fragment.splitlines())
    return next((line.removeprefix(start) for line in lines if line.startswith(start)), None)


def is_h264(codec: RTCRtpCodecParameters) -> bool:
    """Whether this is H.264 whose units may be cut: otherwise one must fit into a packet."""
    mode = str(codec.parameters.get("packetization-mode", "0"))
    return codec.mimeType.lower() == "video/h264" and mode == "1"


def payload_type(codec: RTCRtpCodecParameters) -> int:
    """Its number; the parser never leaves it out."""
    return codec.payloadType or 0


def level_id(codec: RTCRtpCodecParameters) -> str:
    """profile-level-id, or what RFC 6184 §8.1 takes for it."""
    return str(codec.parameters.get("profile-level-id", "420010")).lower()


def profile(text: str) -> H264Profile | None:
    """The profile of six hexadecimal digits; None for one that WebRTC does not know."""
    try:
        return parse_h264_profile_level_id(text)[0]
    except ValueError:
        return None


def rtx_of(media: MediaDescription, codec: RTCRtpCodecParameters) -> int | None:
    """The payload type for sending packets of a codec again (RFC 4588 §8.1)."""
    for other in media.rtp.codecs:
        apt = other.parameters.get("apt")
        if other.mimeType.lower() == "video/rtx" and str(apt) == str(codec.payloadType):
            return payload_type(other)
    return None


def feedback(codec: RTCRtpCodecParameters) -> tuple[str, ...]:
    """What of the offered feedback is understood (RFC 4585 §4.2)."""
    offered = {f"{item.type} {item.parameter or ''}".strip() for item in codec.rtcpFeedback}
    return tuple(known for known in ("nack", "nack pli", "ccm fir") if known in offered)
