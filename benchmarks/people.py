"""What a thousand people cost one web process: pushed over its WebSocket, then polled by HTTP.

    python benchmarks/people.py --people 1000

Everybody has a name of their own and a page: a heartbeat every 30 s, ten chat messages a second in
all, each of them for everybody. Then the same people poll as the predecessors' page did: the
messages every 3 s, the viewers and a heartbeat every 30 s. Delivery is from saying something to
having it; for a message that is polled, to the answer that has it first. Web has a core to itself.
"""

import argparse
import asyncio
import base64
import functools
import itertools
import json
import multiprocessing
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, cast

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import Broker, free_port, wait_until

HEARTBEAT = 30.0
"""Seconds between two heartbeats of a page."""
POLL = 3.0
"""Seconds between two requests for the messages, as the predecessors' page made them."""
STAMP = re.compile(rb"said at (\d+\.\d+) in the coop")
LENGTH = re.compile(rb"content-length: (\d+)", re.I)


class Result(NamedTuple):
    """What the people saw, and what it cost."""

    said: int
    refused: int
    ages: list[float]
    """Seconds from saying to having, one for each person and message."""


class Person(asyncio.Protocol):
    """A connection of one person, who comes through a trusted proxy."""

    def __init__(self, load: "Load", number: int) -> None:
        self.load = load
        self.address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        self.name = f"local-{self.address}"
        self.buffer = b""
        self.had: set[bytes] = set()
        self.shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost += 1

    def head(self, line: str, *headers: str) -> bytes:
        own = (f"Host: {self.load.host}", f"X-Forwarded-For: {self.address}")
        return ("\r\n".join((f"{line} HTTP/1.1", *own, *headers)) + "\r\n\r\n").encode()

    def have(self, data: bytes, now: float) -> None:
        """Count the messages that this person did not have."""
        new = set(STAMP.findall(data)) - self.had
        self.had |= new
        self.load.ages += [now - said for said in map(float, new) if said >= self.load.since]

    def beat(self) -> None:
        """Say that they are there."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Say something to everybody."""
        raise NotImplementedError

    def poll(self, number: int) -> None:
        """Ask for what is new, for the `number`th time."""


class Page(Person):
    """A page: one WebSocket for everything."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        self.transport.write(self.head("GET /events", *upgrade, f"Sec-WebSocket-Key: {key}"))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.shaken:
            self.shaken = b"\r\n\r\n" in data
            self.beat()
        if b"said at" in data or self.buffer:
            data = self.buffer + data
            # A message may come in two pieces; its frame ends with a brace.
            self.buffer = b"" if data.endswith(b"}") else data[-1000:]
            self.have(data, now)

    def tell(self, **message: object) -> None:
        if not self.shaken:
            return
        text = json.dumps(message).encode()
        mask = secrets.token_bytes(4)
        masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(text))
        size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
        self.transport.write(b"\x81" + size + mask + masked)

    def beat(self) -> None:
        self.tell(type="heartbeat", session=self.name, state="viewing")

    def say(self, text: str) -> None:
        self.tell(type="say", id=secrets.token_hex(16), message=text)


class Poller(Person):
    """The same person with HTTP alone; one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.waiting: list[bytes] = []
        self.busy = False

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        if not end or found is None or len(body) < int(found[1]):
            return
        if b"application/json" in head and b"said at" in body:
            self.have(body, time.time())
        self.load.refused += not head.startswith(b"HTTP/1.1 200")
        self.buffer, self.busy = b"", False
        self.next()

    def next(self) -> None:
        if self.waiting and not self.busy:
            self.busy = True
            self.transport.write(self.waiting.pop(0))

    def ask(self, request: bytes) -> None:
        self.waiting.append(request)
        self.next()

    def post(self, path: str, message: dict[str, str]) -> None:
        body = json.dumps(message).encode()
        self.ask(self.head(f"POST {path}", f"Content-Length: {len(body)}") + body)

    def beat(self) -> None:
        self.post("/api/heartbeat", {"session": self.name})

    def say(self, text: str) -> None:
        self.post("/api/chat/send", {"message": text})

    def poll(self, number: int) -> None:
        self.ask(self.head("GET /api/chat/messages"))
        if number % (HEARTBEAT / POLL) == 0:
            self.ask(self.head("GET /api/active_users"))


class Load:
    """Everybody, in one process."""

    def __init__(self, port: int, options: argparse.Namespace) -> None:
        self.host = f"127.0.0.1:{port}"
        self.port = port
        self.options = options
        self.lost = self.refused = self.said = 0
        self.since = float("inf")
        self.ages: list[float] = []
        self.clients: list[Person] = []

    async def run(self, kind: type[Person], pipe: Connection) -> None:
        """Arrive, settle, then say and hear for the given time."""
        loop = asyncio.get_running_loop()
        count = self.options.people
        for number in range(count):
            made = functools.partial(kind, self, number + 1)
            _, client = await loop.create_connection(made, "127.0.0.1", self.port)
            self.clients.append(client)
        tasks = [
            asyncio.create_task(self.spread(HEARTBEAT, lambda one, _: one.beat())),
            asyncio.create_task(self.spread(POLL, lambda one, number: one.poll(number))),
            asyncio.create_task(self.talk()),
        ]
        for client in self.clients:
            client.beat()
            await asyncio.sleep(2 / count)
        await asyncio.sleep(POLL)
        pipe.send("go")
        self.since = time.time()
        await asyncio.sleep(self.options.seconds)
        said = self.said
        pipe.send("done")
        await asyncio.sleep(2 * POLL)
        for task in tasks:
            task.cancel()
        pipe.send(Result(said, self.refused + self.lost, self.ages))

    async def spread(self, period: float, act: Callable[[Person, int], None]) -> None:
        """Let everybody act once in a period, evenly spread over it."""
        began, count = time.monotonic(), len(self.clients)
        for step in itertools.count():
            act(self.clients[step % count], step // count)
            await asyncio.sleep(max(0, began + (step + 1) * period / count - time.monotonic()))

    async def talk(self) -> None:
        """Ten messages a second, each by somebody else."""
        began = time.monotonic()
        for step in itertools.count():
            await asyncio.sleep(max(0, began + step / self.options.rate - time.monotonic()))
            now = time.time()
            if now < self.since + self.options.seconds:
                self.clients[step * 7 % len(self.clients)].say(f"said at {now:.6f} in the coop")
                self.said += now >= self.since


def run_load(port: int, options: argparse.Namespace, kind: type[Person], pipe: Connection) -> None:
    """The people's process."""
    asyncio.run(Load(port, options).run(kind, pipe))


def measure(
    options: argparse.Namespace, port: int, kind: type[Person], pids: dict[str, int]
) -> None:
    """One way of being told, and its line of the table."""
    ours, theirs = multiprocessing.Pipe()
    empty = memory(pids["web"])
    load = multiprocessing.Process(target=run_load, args=(port, options, kind, theirs))
    load.start()
    assert load.pid
    watched = pids | {"people": load.pid}
    assert ours.poll(120) and ours.recv() == "go", "they never arrived"
    began, before = time.monotonic(), {name: cpu(pid) for name, pid in watched.items()}
    assert ours.poll(options.seconds + 60) and ours.recv() == "done"
    took = time.monotonic() - began
    used = {name: (cpu(pid) - before[name]) / took * 100 for name, pid in watched.items()}
    full = memory(pids["web"])
    assert ours.poll(60)
    result: Result = ours.recv()
    load.join(10)
    report(options, kind.__name__, result, used)
    each = (full - empty) / options.people / 1024
    print(f"  memory of web: {full / 1e6:.0f} MB (PSS), {each:.1f} KiB a person")


def report(options: argparse.Namespace, kind: str, result: Result, used: dict[str, float]) -> None:
    """The figures of one way."""
    name = {"Page": "pushed over WebSocket", "Poller": f"polled every {POLL:g} s"}[kind]
    share = len(result.ages) / max(1, result.said * options.people) * 100
    print(f"{options.people} people, {name}: {result.said} messages, {share:.2f} % delivered")
    if result.refused:
        print(f"  {result.refused} requests refused or connections lost")
    if len(result.ages) > 1:
        q = [q * 1000 for q in statistics.quantiles(result.ages, n=100)]
        print(f"  said to had: p50 {q[49]:.0f} ms, p95 {q[94]:.0f}, p99 {q[98]:.0f}")
    print("  CPU: " + ", ".join(f"{name} {part:.0f} %" for name, part in used.items()))


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def memory(pid: int) -> int:
    """Bytes of a process, shared pages divided (PSS)."""
    return int(psutil.Process(pid).memory_full_info().pss)


def main() -> None:
    """Start a broker, chat and web, and measure both ways beside each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10, help="messages a second in all")
    parser.add_argument("--seconds", type=float, default=20, help="of each way")
    options = parser.parse_args()
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or {first})
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        os.environ |= {
            "BEEPER_MQTT__PORT": str(broker.port),
            "BEEPER_WEB__PORT": str(port),
            "BEEPER_WEB__MAX_VIEWERS": str(options.people),
            "BEEPER_ACCESS__PROXIES": '["127.0.0.1"]',
            "BEEPER_STATE_DIR": folder,
        }
        chat = subprocess.Popen([sys.executable, "-m", "chat"])
        web = subprocess.Popen(["taskset", "-c", str(first), sys.executable, "-m", "web"])
        try:
            wait_until(lambda: answers(port), "web and chat are there", 30)
            pids = {"web": web.pid, "chat": chat.pid, "broker": broker.pid}
            for kind in (Page, Poller):
                measure(options, port, kind, pids)
        finally:
            for process in (web, chat):
                process.terminate()
                process.wait(10)
            broker.stop()


def answers(port: int) -> bool:
    """Whether the conversation is known to web."""
    program = ["curl", "-sf", "-m", "2", "-H", "X-Forwarded-For: 10.9.9.9"]
    url = f"http://127.0.0.1:{port}/api/chat/messages"
    return subprocess.run([*program, url], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
