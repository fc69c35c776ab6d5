"""Who may say and hear what: Mosquitto's access control list, made from the contract.

Every instance has a broker user of its own name. It publishes only its own topics and hears only
what it consumes (mosquitto.conf(5), `acl_file`). Mosquitto grants a forbidden subscription and
stays silent; a forbidden publish is refused with reason code 0x87.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from . import topics as t
from .points import BROKER_TOPICS, METRICS
from .topics import REPLY, AnyTopic, Topic, address, pattern, rooted

Topics = tuple[AnyTopic, ...]

OBSERVER = "debug"
"""The user that hears everything and says nothing: `make watch`."""
TELEGRAF = "telegraf"
"""The user that hears what is kept and the broker's own figures. It is no service of ours: it says
nothing, not even a status."""


class Rights(NamedTuple):
    """What one service needs; `own` names the level that is its instance's name (`camera-csi`),
    `track` the only one that it publishes."""

    says: Topics = ()
    hears: Topics = ()
    asks: Topics = ()
    answers: Topics = ()
    own: str = ""
    track: str = ""


MEDIA: Topics = (t.INIT, t.FRAGMENT)
LEASES: Topics = (t.CAMERA_LEASE, t.JPEG_LEASE, t.AAC_LEASE, t.WEBRTC_LEASE)
STATES: Topics = (
    *(t.CLIMATE, t.CPU, t.SYSTEM, t.AUDIO, t.CAMERA_METADATA, t.CAMERA_STATUS),
    *(t.RELAY_STATUS, t.SERVICE_STATUS, t.WEBRTC_STATUS),
)
CHAT: Topics = (t.VIEWERS, t.CHAT_MESSAGE, t.CHAT_HISTORY)
SIGNALLING: Topics = (t.WEBRTC_OFFER, t.WEBRTC_CANDIDATES, t.WEBRTC_END)

PAST: Topics = (t.HISTORY_LIST, t.HISTORY_QUERY)

SERVICES: dict[str, Rights] = {
    # A camera hears its own header, to put it back when somebody has replaced it.
    "camera": Rights((t.CAMERA_STATUS, *MEDIA), (t.CAMERA_LEASE, t.INIT), own="camera"),
    "metadata": Rights((t.CAMERA_METADATA,)),
    # Where it cannot reach the microphone it takes the level from a camera's sound.
    "sensors": Rights(
        (t.CLIMATE, t.CPU, t.SYSTEM, t.AUDIO, t.CAMERA_LEASE), (t.CAMERA_STATUS, *MEDIA)
    ),
    "stills": Rights((t.JPEG, t.CAMERA_LEASE), (t.JPEG_LEASE, *MEDIA)),
    "aac": Rights((*MEDIA, t.CAMERA_LEASE), (t.AAC_LEASE, *MEDIA), track="aac"),
    "web": Rights(
        says=(*LEASES, t.HEARTBEAT, t.STEPPER_COMMAND, t.STEPPER_RENEW, t.WEBRTC_REVOKE),
        hears=(
            *(*STATES, *MEDIA, t.JPEG, *CHAT, t.WEBRTC_GRANTS),
            *(t.STEPPER_RESULT, t.STEPPER_STATUS, t.STEPPER_LEASE),
        ),
        asks=(*SIGNALLING, t.CHAT_SEND, t.CHAT_DELETE, t.STEPPER_NONCE, *PAST),
    ),
    "webrtc": Rights(
        says=(t.WEBRTC_STATUS, t.WEBRTC_GRANTS, t.CAMERA_LEASE),
        hears=(t.CAMERA_STATUS, t.WEBRTC_LEASE, t.WEBRTC_REVOKE, *MEDIA),
        answers=SIGNALLING,
    ),
    # After its own restart it reads its roster where it left it.
    "chat": Rights(says=CHAT, hears=(t.HEARTBEAT, t.VIEWERS), answers=(t.CHAT_SEND, t.CHAT_DELETE)),
    "history": Rights(hears=METRICS, answers=PAST),
    "relay": Rights((t.RELAY_STATUS, t.CAMERA_LEASE), MEDIA, own="relay"),
    "stepper": Rights(
        says=(t.STEPPER_RESULT, t.STEPPER_STATUS, t.STEPPER_LEASE),
        hears=(t.STEPPER_COMMAND, t.STEPPER_RENEW),
        answers=(t.STEPPER_NONCE,),
    ),
}


BRIDGED: tuple[Topic[Any], ...] = tuple(topic for topic in METRICS if topic is not t.WEBRTC_STATUS)
"""What a station's broker passes on to a hub's: measurements, and how everything is. No event, no
command, no conversation, no picture, and not the TURN credentials of WEBRTC_STATUS."""
HUB: dict[str, Rights] = {
    "web": Rights(says=(t.CAMERA_LEASE,), hears=(*BRIDGED, *MEDIA)),
    "history": Rights(hears=BRIDGED),
}
"""What services of a hub may besides, below the root of every station."""
STATION = Rights(says=(*BRIDGED, *MEDIA), hears=(t.CAMERA_LEASE, t.INIT))
"""What a station may on a hub's broker, below its own root and nowhere else."""
NOTIFICATION = "stations/{station}/bridge"
"""Where a bridge says `1` while it is connected, and the hub's broker `0` when it is not."""


def acl(instances: Iterable[str], station: str = "") -> str:
    """The list for these instances, such as `camera-csi` and `web`; KeyError for an unknown one."""
    parts = [f"user {OBSERVER}\ntopic read {rooted('beeper/#', station)}\ntopic read $SYS/#\n"]
    kept = [*(pattern(topic, station, {}) for topic in METRICS), *BROKER_TOPICS]
    parts.append(f"user {TELEGRAF}\n" + "".join(f"topic read {name}\n" for name in kept))
    for instance in sorted(instances):
        lines = "".join(f"topic {line}\n" for line in lines_of(instance, station))
        parts.append(f"user {instance}\n{lines}")
    return "\n".join(parts)


def hub_acl(instances: Iterable[str], stations: Iterable[str]) -> str:
    """The list of a hub's broker: its own instances, and a user for each station."""
    names = sorted(instances)
    kept = below("+", Rights(hears=BRIDGED))
    parts = [acl(names), f"user {OBSERVER}\ntopic read stations/#\n", f"user {TELEGRAF}\n{kept}"]
    for name in names:
        if rights := HUB.get(name.partition("-")[0]):
            parts.append(f"user {name}\n{below('+', rights)}")
    for station in sorted(stations):
        notes = f"topic write {NOTIFICATION.format(station=station)}\n"
        parts.append(f"user {station}\n{notes}{below(station, STATION)}")
    return "\n".join(parts)


def below(station: str, rights: Rights) -> str:
    """Lines for topics below the root of a station; `+` is all of them."""
    lines = [f"topic write {pattern(topic, station, {})}\n" for topic in rights.says]
    lines += [f"topic read {pattern(topic, station, {})}\n" for topic in rights.hears]
    return "".join(lines)


def lines_of(instance: str, station: str) -> list[str]:
    """`write <filter>` and `read <filter>` of one instance."""
    service, _, name = instance.partition("-")
    rights = SERVICES[service]
    own = {rights.own: name} if rights.own else {}
    mine = {"instance": instance}
    reply = rooted(REPLY.format(instance="+" if rights.answers else instance), station)
    lines = [f"write {address(t.SERVICE_STATUS, station, **mine)}"]
    lines.append(f"readwrite {address(t.SERVICE_ECHO, station, **mine)}")
    said = own | ({"track": rights.track} if rights.track else {})
    lines += [f"write {pattern(topic, station, said)}" for topic in (*rights.says, *rights.asks)]
    lines += [f"read {pattern(topic, station, own)}" for topic in (*rights.hears, *rights.answers)]
    lines += [f"write {reply}"] if rights.answers else []
    lines += [f"read {reply}"] if rights.asks else []
    return lines
