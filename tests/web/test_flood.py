"""Whoever says too much is shown out, and everybody else keeps their picture meanwhile."""

import json
import threading
import time

import pytest
from bus_camera import Camera
from conftest import Start, wait_until
from socket_floods import CONTINUED, FLOODS, TEXT, End, exhaust, flood, frame, opened
from web.turns import Turns
from web.wire import MAX_FRAGMENTS
from web_station import Frame, Web, messages
from websockets.exceptions import InvalidStatus


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_ended_and_nobody_else_notices(web: Web, name: str) -> None:
    ends: list[End] = []
    with web.socket("live/csi") as viewer:
        attack = threading.Thread(target=lambda: ends.append(flood(web.port, name)))
        seen = 0
        for message in messages(viewer):
            if isinstance(message, Frame):
                viewer.send(json.dumps({"type": "ack", "seq": message.header.seq}))
                seen += 1
            if seen == 5 and not attack.ident:
                attack.start()
            if seen > 5 and not attack.is_alive():
                break
        attack.join()
    assert ends and ends[0].code == 1008 and ends[0].reason
    assert web.get("/healthz").status == 200


def test_many_floods_at_once_leave_a_viewer_its_frames(web: Web) -> None:
    ends: list[End] = []
    kinds = [name for name in FLOODS if name != "binary"][:6]
    threads = [threading.Thread(target=lambda n=n: ends.append(flood(web.port, n))) for n in kinds]
    with web.socket("live/csi") as viewer:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            message = next(messages(viewer))
            if isinstance(message, Frame):
                viewer.send(json.dumps({"type": "ack", "seq": message.header.seq}))
        assert next(m for m in messages(viewer) if isinstance(m, Frame))
    assert [end.code for end in ends] == [1008] * len(kinds)


@pytest.mark.parametrize("path", ["events", "live/csi"])
def test_a_page_that_answers_each_of_120_frames_a_second_stays(web: Web, path: str) -> None:
    said = '{"type":"ping","id":1}' if path == "events" else '{"type":"ack","seq":1}'
    with web.socket(path) as page:
        for _ in range(10):
            for _ in range(12):
                page.send(said)
            time.sleep(0.1)
        # What a stalled network has held back comes at once.
        for _ in range(1500):
            page.send(said)
        page.ping().wait(10)
        assert page.close_code is None


def test_a_message_has_only_so_many_fragments(web: Web) -> None:
    line, _ = opened(web.port, "/events")
    line.sendall(frame(b'{"type":"ping",', fin=False))
    with line:
        end = exhaust(line, lambda: frame(b"", CONTINUED, fin=False))
    assert end == (1008, f"a message in more than {MAX_FRAGMENTS} fragments")


def test_a_message_in_a_few_fragments_is_one(web: Web) -> None:
    with web.socket("events") as page:
        page.send(['{"type":', '"ping",', '"id":', "7}"])
        pong = next(m for m in messages(page) if isinstance(m, dict) and m["type"] == "pong")
    assert pong["id"] == 7


def test_a_repeated_offender_is_refused_for_a_while_in_one_line(
    camera: Camera, start: Start
) -> None:
    web = Web(start, socket_rate="10", socket_burst="50")
    bad = "X-Forwarded-For: 192.168.7.7\r\n"

    def refused() -> bool:
        line, answer = opened(web.port, "/events", bad)
        with line:
            if b" 101 " not in answer:
                return answer.startswith(b"HTTP/1.1 429 ")
            exhaust(line, lambda: 60 * frame(b"{}", TEXT))
            return False

    wait_until(refused, "it is refused")
    with pytest.raises(InvalidStatus) as told:
        web.socket("events", additional_headers={"X-Forwarded-For": "192.168.7.7"})
    assert told.value.response.status_code == 429
    assert int(told.value.response.headers["Retry-After"]) > 0
    with web.socket("events") as page:
        assert next(messages(page))["type"] == "hello"
    assert web.service.log().count("192.168.7.7: refused") == 1


async def test_whoever_waits_for_a_turn_gets_one_slice_at_a_time() -> None:
    import asyncio

    turns, order = Turns(100, 100), list[str]()
    done = asyncio.Event()

    class Reader:
        def __init__(self, name: str, slices: int) -> None:
            self.name, self.left = name, slices

        def read_slice(self) -> bool:
            order.append(self.name)
            self.left -= 1
            if self.name == "long" and not self.left:
                done.set()
            return self.left > 0

    turns.wait(Reader("long", 3))
    turns.wait(Reader("short", 1))
    await done.wait()
    assert order == ["long", "short", "long", "long"]
