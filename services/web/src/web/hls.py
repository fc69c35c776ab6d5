"""HLS with low latency: playlists that wait for what is asked, and segments that never change.

RFC 8216bis §6.2. No address belongs to one viewer, so any proxy and any replica may answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from bus.messages import CameraStatus
from bus.places import FullError, Holder
from bus.topics import CAMERA_STATUS
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from .answers import Shared
from .channel import Channel
from .playlist import TYPE, Sound, multivariant
from .rendition import Rendition
from .shares import Taker
from .station import Here, Station
from .trouble import at_work, camera_trouble, service_trouble

NEVER = {"Cache-Control": "no-store"}
FOR_EVER = {"Cache-Control": "private, max-age=3600, immutable"}
AHEAD = 2
"""Segments that may be asked for before they begin: RFC 8216bis §6.2.5.2."""
UNKNOWN_RATE = 2_000_000
"""bit/s that are announced until something has been measured."""

router = APIRouter(tags=["pictures"], default_response_class=Response)


def channel_of(station: Here, camera: str) -> Channel:
    """The camera that is asked for; raises 404."""
    if (channel := station.hub.channels.get(camera)) is None:
        raise HTTPException(404, f"there is no camera {camera[:64]!r}", NEVER)
    return channel


Asked = Annotated[Channel, Depends(channel_of)]


def rendition_of(channel: Asked, name: str) -> Rendition:
    """The rendition that is asked for; raises 404."""
    if (rendition := channel.broadcast.renditions.get(name)) is None:
        known = ", ".join(channel.broadcast.renditions)
        raise HTTPException(404, f"there is no rendition {name[:64]!r}, only {known}", NEVER)
    return rendition


Wanted = Annotated[Rendition, Depends(rendition_of)]


@router.get("/{camera}_camera/index.m3u8")
async def index(station: Here, channel: Asked, holder: Taker, sound: bool = True) -> Response:
    """The multivariant playlist: the picture, with the sound as Opus or as AAC, or without it."""
    keep(station, channel, "video")
    with place(station, holder):
        await begun(station, channel, "video")
    status = station.readings.get(CAMERA_STATUS, camera=channel.name)
    rate = channel.broadcast.bandwidth or announced(status)
    fps = status.fps if status else None
    heard = sounds(station, channel) if sound else []
    text = multivariant(channel.tracks["video"].about, heard, rate, fps)
    return Response(text, media_type=TYPE, headers=NEVER)


@router.get("/{camera}_camera/{name}.m3u8")
async def playlist(
    station: Here,
    channel: Asked,
    rendition: Wanted,
    holder: Taker,
    request: Request,
    name: str,
    msn: Annotated[str | None, Query(alias="_HLS_msn", description="media sequence")] = None,
    part: Annotated[str | None, Query(alias="_HLS_part", description="part of it")] = None,
) -> Response:
    """The playlist of one rendition, as soon as the segment or part that is asked for is in it."""
    segment, piece = number("_HLS_msn", msn), number("_HLS_part", part)
    if piece is not None and segment is None:
        raise HTTPException(400, "_HLS_part needs _HLS_msn", NEVER)
    keep(station, channel, name)
    with place(station, holder):
        await begun(station, channel, name)
        if segment is not None:
            await reach(station, channel, name, segment, piece)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    headers = NEVER | {"Vary": "Accept-Encoding"} | encoding
    return Response(channel.broadcast.playlist(name, packed), media_type=TYPE, headers=headers)


@router.get("/{camera}_camera/{name}/{file}")
async def media(
    station: Here, channel: Asked, rendition: Wanted, holder: Taker, name: str, file: str
) -> Response:
    """A header, a segment or a part; the part that comes next is waited for."""
    keep(station, channel, name)
    content = rendition.find(file)
    if content is None and file == rendition.hint:
        with place(station, holder):
            await rendition.reach(lambda: file != rendition.hint, station.settings.hls_wait)
        content = rendition.find(file)
    if content is None:
        raise HTTPException(404, f"{name} has no {file[:64]!r}, or has it no more", NEVER)
    kind = "video/mp4" if name == "video" else "audio/mp4"
    return Shared(content, kind, FOR_EVER)


def number(name: str, text: str | None) -> int | None:
    """A number of the query; raises 400 when it is none."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise HTTPException(400, f"{name}={text[:32]!r} is no number from 0 on", NEVER)
    return int(text)


def keep(station: Station, channel: Channel, name: str) -> None:
    """Hear the camera while it is waited for, and as long after that as after any viewer."""
    channel.warm(station.settings.hls_wait + station.settings.linger, name)


@contextmanager
def place(station: Station, holder: Holder) -> Iterator[None]:
    """Room for one more who waits; raises 503 when there is none.

    Nobody gives way who waits already: a few seconds later they are gone.
    """
    try:
        with station.shares.waiting.held(holder, lambda: None):
            yield
    except FullError:
        raise HTTPException(503, "too many viewers", NEVER) from None


async def begun(station: Station, channel: Channel, name: str) -> None:
    """Wait until a rendition has something in it; raises 503 with the reason when nothing comes."""
    rendition = channel.broadcast.renditions[name]
    if not await rendition.reach(lambda: rendition.playable, station.settings.hls_wait):
        raise HTTPException(503, why(station, channel, name), NEVER)


async def reach(
    station: Station, channel: Channel, name: str, segment: int, part: int | None
) -> None:
    """Wait for a segment, or for a part of it; raises 400 when it is too far away, or 503."""
    rendition = channel.broadcast.renditions[name]
    if (last := rendition.last) and segment > last.number + AHEAD:
        text = f"_HLS_msn={segment} is more than {AHEAD} ahead of {last.number}"
        raise HTTPException(400, text, NEVER)
    if not await rendition.reach(lambda: rendition.has(segment, part), station.settings.hls_wait):
        raise HTTPException(503, why(station, channel, name), NEVER)


def why(station: Station, channel: Channel, name: str) -> str:
    """Why a rendition has nothing new."""
    readings, camera = station.readings, channel.name
    if trouble := camera_trouble(camera, readings, station.pulse):
        return trouble
    if name != "video" and "audio" not in channel.tracks:
        return f"camera {camera} has no sound"
    if name == "aac" and not at_work("aac", readings):
        return service_trouble("aac", readings) or "service aac is not there"
    return f"camera {camera}: nothing new within {station.settings.hls_wait:g} s"


def sounds(station: Station, channel: Channel) -> list[Sound]:
    """The sound as it is, and as AAC where the service for that is at work."""
    if (audio := channel.tracks.get("audio")) is None:
        return []
    channels = audio.about.channels
    found = [Sound("audio", audio.about.codecs, channels)]
    # At a hub nobody makes it: only the station's own tracks come there.
    if at_work("aac", station.readings) and not station.name:
        found.append(Sound("aac", "mp4a.40.2", channels))
    return found


def announced(status: CameraStatus | None) -> int:
    """bit/s as the camera measures them, with room for a busy moment."""
    return round(status.bitrate_kbps * 1500) if status and status.bitrate_kbps else UNKNOWN_RATE
