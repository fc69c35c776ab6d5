"""Every topic of the bus: address, payload, QoS and retain, declared once."""

from collections.abc import Mapping
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from . import messages as m

M = TypeVar("M", bound=m.Message)
Q = TypeVar("Q", bound=m.Message)
A = TypeVar("A", bound=m.Message)

Qos = Literal[0, 1]
Levels = Mapping[str, str]
"""The variable levels of an address, such as `{"camera": "csi"}`; `station` on a hub."""

EVENT: Literal[False] = False
STATE: Literal[True] = True


class Topic(NamedTuple, Generic[M]):
    """A JSON topic. A named tuple, since mypy then ties the path to its message invariantly."""

    path: str
    model: type[M]
    retain: bool
    about: str
    every: float | None = None
    """Seconds between two messages, where that is not "on change"."""
    qos: Qos = 1


class MediaTopic(NamedTuple):
    """A binary topic below `media/`."""

    path: str
    retain: bool
    qos: Qos
    about: str


class Request(NamedTuple, Generic[Q, A]):
    """A question over MQTT 5 request/response: asked at `path`, answered where it says."""

    path: str
    query: type[Q]
    answer: type[A]
    about: str
    qos: Qos = 1
    retain: bool = False


CLIMATE = Topic("beeper/sensors/bme680/all", m.Climate, STATE, "The air, from the BME680", 10)
CPU = Topic(
    "beeper/sensors/cpu/temperature", m.CpuTemperature, STATE, "The processor's heat and limits", 10
)
SYSTEM = Topic("beeper/system/stats", m.SystemStats, STATE, "The machine, from psutil", 10)
AUDIO = Topic("beeper/audio/level", m.AudioLevel, STATE, "Loudness of the microphone", 1)
CAMERA_METADATA = Topic(
    "beeper/camera/{camera}/metadata",
    m.CameraMetadata,
    STATE,
    "The newest metadata record of the camera, libcamera's keys",
    1,
)
CAMERA_STATUS = Topic(
    "beeper/camera/{camera}/status", m.CameraStatus, STATE, "Health of a camera", 10
)
CAMERA_LEASE = Topic(
    "beeper/camera/{camera}/lease",
    m.CameraLease,
    EVENT,
    "Somebody watches: an `on_demand` camera encodes while leases last",
)
AAC_LEASE = Topic(
    "beeper/camera/{camera}/aac/lease", m.AacLease, EVENT, "Somebody wants a camera's sound as AAC"
)
JPEG_LEASE = Topic(
    "beeper/camera/{camera}/jpeg/lease", m.JpegLease, EVENT, "Somebody wants JPEGs of the camera"
)
WEBRTC_LEASE = Topic(
    "beeper/camera/{camera}/webrtc/lease",
    m.WebrtcLease,
    EVENT,
    "A page was opened: its viewer may ask for WebRTC in a moment",
)
RELAY_STATUS = Topic("beeper/relay/{relay}/status", m.RelayStatus, STATE, "Health of a relay", 10)
SERVICE_STATUS = Topic(
    "beeper/service/{instance}/status",
    m.ServiceStatus,
    STATE,
    "Life of a service; its last will says `lost`",
    10,
)
SERVICE_ECHO = Topic(
    "beeper/service/{instance}/echo",
    m.Echo,
    EVENT,
    "Round trip to the broker, by the services that must notice its silence at once",
    1,
)
VIEWERS = Topic("beeper/viewers", m.Viewers, STATE, "Who is watching", 10)
HEARTBEAT = Topic("beeper/viewers/heartbeat", m.Heartbeat, EVENT, "A page is open, or left")
CHAT_MESSAGE = Topic("beeper/chat/message", m.ChatMessage, EVENT, "A message that was accepted")
CHAT_HISTORY = Topic("beeper/chat/history", m.ChatHistory, STATE, "The last 50 messages", 10)
STEPPER_COMMAND = Topic("beeper/stepper/command", m.StepperCommand, EVENT, "An order to the motor")
STEPPER_RENEW = Topic(
    "beeper/stepper/renew", m.StepperRenew, EVENT, "Whose movement it is, is still there", 0.25
)
STEPPER_RESULT = Topic("beeper/stepper/result", m.StepperResult, EVENT, "What became of it")
STEPPER_STATUS = Topic("beeper/stepper/status", m.StepperStatus, STATE, "Where the motor is", 10)
STEPPER_LEASE = Topic("beeper/stepper/lease", m.StepperLease, STATE, "Who may steer the motor")
WEBRTC_STATUS = Topic(
    "beeper/webrtc/status", m.WebrtcStatus, STATE, "WebRTC viewers, and what they need", 10
)

WEBRTC_GRANTS = Topic(
    "beeper/webrtc/grants", m.WebrtcGrants, STATE, "The sign-ins by which somebody watches"
)
WEBRTC_REVOKE = Topic(
    "beeper/webrtc/grants/end", m.WebrtcRevoke, EVENT, "A sign-in has ended, and what it allowed"
)

HISTORY_QUERY = Request(
    "beeper/history/query", m.HistoryQuery, m.HistorySeries, "The past of one metric"
)
HISTORY_LIST = Request(
    "beeper/history/list", m.HistoryList, m.HistorySources, "What is kept of the past"
)
CHAT_SEND = Request("beeper/chat/send", m.ChatSend, m.ChatResult, "Somebody says something")
CHAT_DELETE = Request(
    "beeper/chat/delete", m.ChatDelete, m.ChatResult, "An operator takes a message back"
)
STEPPER_NONCE = Request(
    "beeper/stepper/nonce",
    m.StepperNonceQuery,
    m.StepperNonce,
    "Before a command: what it will be judged against",
)
WEBRTC_OFFER = Request(
    "beeper/webrtc/offer", m.WebrtcOffer, m.WebrtcAnswer, "WHEP signalling for one viewer"
)
WEBRTC_CANDIDATES = Request(
    "beeper/webrtc/candidates", m.WebrtcCandidates, m.WebrtcDone, "Trickle ICE of a WebRTC viewer"
)
WEBRTC_END = Request("beeper/webrtc/end", m.WebrtcEnd, m.WebrtcDone, "A WebRTC viewer has left")

REPLY = "beeper/service/{instance}/reply"
"""Where answers to an instance's requests arrive."""

INIT = MediaTopic(
    "media/{camera}/{track}/init",
    True,
    1,
    "CMAF header (`ftyp`+`moov`) of one track (`video`, `audio`, `aac`); "
    "user properties: session, codecs (RFC 6381), width, height",
)
FRAGMENT = MediaTopic(
    "media/{camera}/{track}/fragment/{session}",
    False,
    0,
    "One CMAF fragment (`prft`+`moof`+`mdat`): one video frame, or one 20 ms Opus packet",
)
JPEG = MediaTopic(
    "media/{camera}/jpeg",
    False,
    0,
    "One JPEG, made by `stills` while somebody holds a lease; user property: capture (Unix s)",
)

AnyTopic = Topic[Any] | MediaTopic | Request[Any, Any]

TOPICS: tuple[Topic[Any], ...] = tuple(v for v in list(globals().values()) if isinstance(v, Topic))
REQUESTS: tuple[Request[Any, Any], ...] = tuple(
    v for v in list(globals().values()) if isinstance(v, Request)
)
MEDIA: tuple[MediaTopic, ...] = (INIT, FRAGMENT, JPEG)


def address(topic: AnyTopic, station: str = "", **levels: str) -> str:
    """The topic's full name; `+` as a level makes a subscription filter of it.

    Raises KeyError when a level is missing, ValueError when one would change the topic's depth.
    """
    for name, level in levels.items():
        if not level or set(level) & set("/#\0") or ("+" in level and level != "+"):
            raise ValueError(f"{name}={level!r} cannot be a level of {topic.path}")
    return rooted(topic.path.format_map(levels), station)


def rooted(name: str, station: str) -> str:
    """A name under the root of a station; at home there is none."""
    return f"stations/{station}/{name}" if station else name


def pattern(topic: AnyTopic, station: str, levels: Levels) -> str:
    """A subscription filter: levels that are not given are `+`; `station` may be one of them."""
    names = {part[1:-1] for part in topic.path.split("/") if part.startswith("{")}
    given = dict.fromkeys(names, "+") | {"station": station} | dict(levels)
    return address(topic, given.pop("station"), **given)


def fits(wanted: str, name: str) -> bool:
    """Whether a name fits a filter of the contract, which only ever uses `+`."""
    filters, parts = wanted.split("/"), name.split("/")
    return len(filters) == len(parts) and all(
        want in ("+", part) for want, part in zip(filters, parts, strict=True)
    )


def split_root(name: str) -> tuple[str, str]:
    """A topic name → its station (empty without one) and the rest."""
    if name.startswith("stations/") and name.count("/") > 1:
        _, station, rest = name.split("/", 2)
        return station, rest
    return "", name


def parse(name: str) -> tuple[Topic[Any], dict[str, str]] | None:
    """The name of a JSON topic → its declaration and variable levels; None when undeclared."""
    station, rest = split_root(name)
    parts = rest.split("/")
    for topic in TOPICS:
        if (levels := match(topic.path, parts)) is not None:
            return topic, levels | ({"station": station} if station else {})
    return None


def match(path: str, parts: list[str]) -> dict[str, str] | None:
    """The variable levels of `parts` under a declared path; None when they do not fit."""
    declared = path.split("/")
    if len(declared) != len(parts):
        return None
    levels = {}
    for want, have in zip(declared, parts, strict=True):
        if want.startswith("{"):
            levels[want[1:-1]] = have
        elif want != have:
            return None
    return levels
