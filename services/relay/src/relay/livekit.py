"""LiveKit's ingress: the way in for a relay, made once and found again by its name."""

import asyncio

import aiohttp
from bus.address import hide_logins
from bus.livekit import Livekit
from google.protobuf.message import DecodeError
from livekit.api import LiveKitAPI, ServerError
from livekit.protocol.ingress import (
    CreateIngressRequest,
    IngressInfo,
    IngressInput,
    ListIngressRequest,
)
from pydantic import SecretStr

from .ingress import Ingress

KINDS = {"whip": IngressInput.WHIP_INPUT, "rtmp": IngressInput.RTMP_INPUT}
PAGES = 100


class Unreachable(Exception):
    """LiveKit does not answer."""


class Refused(Exception):
    """LiveKit answers that it will not; says why."""


class Different(Exception):
    """There is an ingress of that name, for something else."""


async def provide(settings: Livekit, kind: str, name: str, room: str) -> tuple[Ingress, bool]:
    """The ingress of that name, and whether it had to be made.

    Raises ValueError or OSError for what is not configured, else Unreachable, Refused or Different.
    """
    key, secret = settings.signing()
    timeout = aiohttp.ClientTimeout(total=settings.timeout)
    api = LiveKitAPI(settings.api_url, key, secret, timeout=timeout, failover=False)
    try:
        async with api, asyncio.timeout(2 * settings.timeout):
            found = await find(api, name)
            made = found is None
            info = found or await api.ingress.create_ingress(request(kind, name, room))
    except ServerError as error:
        raise Refused(explain(error)) from None
    except (TimeoutError, aiohttp.ClientError) as error:
        why = str(error) or f"no answer within {settings.timeout:g} s"
        raise Unreachable(hide_logins(f"{settings.api_url}: {why}")) from None
    except DecodeError:
        raise Unreachable(
            f"{hide_logins(settings.api_url)}: what answers there is no LiveKit"
        ) from None
    check(info, kind, name, room)
    return Ingress(
        url=info.url,
        stream_key=SecretStr(info.stream_key),
        room=info.room_name,
        name=info.name,
        ingress_id=info.ingress_id,
    ), made


async def find(api: LiveKitAPI, name: str) -> IngressInfo | None:
    """The first ingress of a name; LiveKit lists them in pages."""
    token = None
    for _ in range(PAGES):
        listed = await api.ingress.list_ingress(ListIngressRequest(page_token=token))
        for info in sorted(listed.items, key=lambda info: info.ingress_id):
            if info.name == name:
                return info
        token = listed.next_page_token
        if not token.token:
            return None
    return None


def request(kind: str, name: str, room: str) -> CreateIngressRequest:
    """What to ask for: WHIP goes through as it is; LiveKit transcodes all RTMP."""
    asked = CreateIngressRequest(
        input_type=KINDS[kind],
        name=name,
        room_name=room,
        participant_identity=name,
        participant_name=name,
    )
    if kind == "whip":
        asked.enable_transcoding = False
    return asked


def check(info: IngressInfo, kind: str, name: str, room: str) -> None:
    """Raises Different for another ingress than was asked for, Refused for one without address."""
    if info.input_type != KINDS[kind]:
        raise Different(f"the ingress {name} is not for {kind}: delete it, or take another name")
    if info.room_name != room:
        raise Different(f"the ingress {name} is for the room {info.room_name!r}, not {room!r}")
    if kind == "whip" and info.enable_transcoding:
        raise Different(f"the ingress {name} transcodes: delete it, or take another name")
    if not info.url:
        raise Refused(f"LiveKit's configuration has no ingress.{kind}_base_url")


def explain(error: ServerError) -> str:
    """A refusal in words that name the fix."""
    said = f"{error.message or 'it says no more'} ({error.code}, HTTP {error.status})"
    if error.status in (401, 403) or error.code in ("unauthenticated", "permission_denied"):
        return f"livekit.key or its secret is not LiveKit's: {said}"
    if "redis" in error.message:
        return f"LiveKit has no ingress without redis: {said}"
    return said
