"""What bounds the service: ports, addresses, the number of viewers, and their lives."""

import asyncio
import re
import socket

from bus_camera import Camera
from conftest import Start, free_port, wait_until
from webrtc_viewer import Sessions, Viewer, with_webrtc


def candidates(answer: str) -> list[tuple[str, int]]:
    """Address and port of each candidate of an answer."""
    found = re.findall(r"a=candidate:\S+ \d+ udp \d+ (\S+) (\d+) ", answer)
    return [(address, int(port)) for address, port in found]


async def test_ports_are_within_the_range(start: Start, camera: Camera) -> None:
    port = free_port()
    web = with_webrtc(
        start, camera, addresses='["127.0.0.1"]', port_min=str(port), port_max=str(port)
    )
    async with Viewer(web) as viewer:
        assert candidates(viewer.answer) == [("127.0.0.1", port)]
        await viewer.see(3)
        second = Viewer(web)
        said = await second.post(await second.offer())
        assert said.status == 503 and f"{port} to {port}" in said.json()["detail"]
        await second.peer.close()
    sessions = Sessions(camera)
    wait_until(lambda: sessions.now == 0, "the first has left")
    async with Viewer(web) as third:
        await third.see(3)


async def test_public_hosts_are_candidates(start: Start, camera: Camera) -> None:
    hosts = '["198.51.100.7", "localhost"]'
    web = with_webrtc(start, camera, addresses='["127.0.0.1"]', public_hosts=hosts)
    async with Viewer(web) as viewer:
        found = candidates(viewer.answer)
        assert {address for address, _ in found} == {"127.0.0.1", "198.51.100.7"}
        assert len({port for _, port in found}) == 1
        await viewer.see(3)


async def test_no_more_viewers_than_are_allowed(start: Start, camera: Camera) -> None:
    web = with_webrtc(start, camera, max_sessions="1")
    async with Viewer(web) as first:
        await first.see(3)
        second = Viewer(web)
        said = await second.post(await second.offer())
        assert said.status == 503 and "(1)" in said.json()["detail"]
        assert said.headers["Retry-After"]
        await second.peer.close()


async def test_whoever_offers_and_never_connects_keeps_nobody_out(
    start: Start, camera: Camera
) -> None:
    web = with_webrtc(start, camera, max_sessions="10", connect="60")
    idle = Viewer(web)
    offer = await idle.offer()
    await idle.peer.close()
    idle.headers = {"X_Forwarded_For": "192.168.7.7"}
    codes = [(await idle.post(offer)).status for _ in range(15)]
    assert codes[:8] == [201] * 8, "below four fifths nobody is refused"
    assert 503 in codes
    for number in range(4):
        viewer = Viewer(web)
        viewer.headers = {"X_Forwarded_For": f"192.168.8.{number}"}
        async with viewer:
            await viewer.see(3)


async def test_the_place_of_whoever_holds_most_goes_to_somebody_else(
    start: Start, camera: Camera
) -> None:
    web = with_webrtc(start, camera, max_sessions="5", connect="60")
    sessions = Sessions(camera)
    idle = Viewer(web)
    offer = await idle.offer()
    await idle.peer.close()
    for address, count in (("192.168.7.7", 4), ("192.168.7.8", 1)):
        idle.headers = {"X_Forwarded_For": address}
        assert [(await idle.post(offer)).status for _ in range(count)] == [201] * count
    viewer = Viewer(web)
    viewer.headers = {"X_Forwarded_For": "192.168.7.9"}
    async with viewer:
        await viewer.see(3)
        await asyncio.to_thread(wait_until, lambda: sessions.now == 5, "one has gone")


async def test_who_never_connects_and_who_dies_is_let_go(start: Start, camera: Camera) -> None:
    web = with_webrtc(start, camera, connect="1", silent="2")
    sessions = Sessions(camera)
    viewer = Viewer(web)
    assert (await viewer.post(await viewer.offer())).status == 201
    wait_until(lambda: sessions.now == 1, "it is there")
    await asyncio.to_thread(wait_until, lambda: sessions.now == 0, "it is let go")
    await viewer.peer.close()
    async with Viewer(web) as dying:
        await dying.see(3)
        assert sessions.now == 1
        for protocol in dying.transport.transport._connection._protocols:
            protocol.transport.abort()
        await asyncio.to_thread(wait_until, lambda: sessions.now == 0, "the dead one is let go")


async def test_an_empty_datagram_ends_nobodys_session(start: Start, camera: Camera) -> None:
    web = with_webrtc(start, camera, addresses='["127.0.0.1"]')
    async with Viewer(web) as viewer:
        await viewer.see(1)
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            for place in candidates(viewer.answer):
                stranger.sendto(b"", place)
        await viewer.see(len(viewer.pictures) + 20)
