"""CPU time of following a camera's metadata file, against the two methods used before.

    python benchmarks/metadata.py [--seconds 20]

Each reader is a process of its own beside a file of 40 MB to which another process appends 30
records a second, flushed line by line as rpicam-vid does. The first three do the same work once a
second: find the newest record and parse it; the next two also make of it what they hand on. CPU
time is user + system, after a warm-up that is not counted. Then the whole service, with a real
Mosquitto, and what giving the front of the file back costs.
Exit code 1 when our way to find and parse is not the cheapest.
"""

import argparse
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

SIZE = 40_000_000
RATE = 30
FILE = "csi.metadata.json"
WARM_UP = 10
"""Looks that are not counted: Python adapts a function to its work over the first eight calls."""
Look = Callable[[], object]

ITSELF = [sys.executable, "-P", __file__]
"""Without `-P` this file would hide the service's package, whose name it has."""


def record(number: int) -> list[str]:
    """The lines of one record, about as long as a Pi camera's."""
    fields = {
        "SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        "ScalerCrop": f"({number % 9}, 0)/2592x1944",
        "ColourCorrectionMatrix": [1.7 + number % 7 / 10, -0.5, -0.2, -0.4, 1.9, -0.5] + [0.1] * 3,
        "FocusFoM": 1200 + number % 100,
        "ColourGains": [1.2, 2.1],
        "SensorBlackLevels": [4096, 4096, 4096, 4096],
        "ExposureTime": 33022,
        "AnalogueGain": 4.0,
        "DigitalGain": 1.0,
        "Lux": 297.4 + number % 10,
        "ColourTemperature": 6007,
        "FrameDuration": 33333,
        "AeState": 2,
        "FrameWallClock": time.time_ns(),
    }
    return [f'    "{name}": {json.dumps(value)}' for name, value in fields.items()]


def write(path: Path) -> None:
    """Fill the file, say so on stdout, and go on at 30 records a second until killed."""
    block = ",\n".join("{\n" + ",\n".join(record(number)) + "\n}" for number in range(100))
    with path.open("w", encoding="ascii") as file:
        file.write("[\n" + block)
        while file.tell() < SIZE:
            file.write(",\n" + block)
        print("full", flush=True)
        for number in itertools.count():
            file.write(",\n{")
            for place, line in enumerate(record(number)):
                file.write((",\n" if place else "\n") + line)
                file.flush()
            file.write("\n")
            file.flush()
            file.write("}")
            time.sleep(1 / RATE)


def read_all(path: Path) -> Look:
    """Predecessor 1: the whole file each second, split into records."""

    def look() -> object:
        records = path.read_text().split("\n},\n")
        return parse(records[-1]) or parse(records[-2])

    return look


def read_tail(path: Path) -> Look:
    """Predecessor 2: the last 10 kB each second, split and repaired."""

    def look() -> object:
        with path.open("rb") as file:
            file.seek(-10_000, os.SEEK_END)
            records = file.read().decode().split("\n},\n")
        return parse(records[-1]) or parse(records[-2])

    return look


def parse(text: str) -> object:
    repaired = text.rstrip("\n]}") + "\n}"
    try:
        return json.loads(repaired[repaired.index("{") :])
    except ValueError:
        return None


def read_tail_and_write(path: Path) -> Look:
    """Predecessor 2, which then wrote the record to a file for the publisher."""
    look_at_tail = read_tail(path)

    def look() -> object:
        record = look_at_tail()
        path.with_name("newest.json").write_text(json.dumps(record))
        return record

    return look


def follow(path: Path) -> Look:
    """Ours."""
    from metadata.follower import Follower

    return Follower(path, "json", skip=True).poll


def follow_and_check(path: Path) -> Look:
    """Ours, which also looks for new files, checks each value and makes the message."""
    from metadata.folder import Folder

    return Folder(path.parent, 1).poll


METHODS = {
    "all": ("predecessor 1: all of it, split", read_all),
    "tail": ("predecessor 2: the last 10 kB, split", read_tail),
    "ours": ("ours: follow its end", follow),
    "tail, handed on": ("predecessor 2, and writes a file", read_tail_and_write),
    "ours, handed on": ("ours, checked, as a message", follow_and_check),
}


def measure(method: str, path: Path, seconds: int) -> None:
    """In a process of its own: look once a second, then print the CPU time and what was found."""
    look = METHODS[method][1](path)
    for _ in range(WARM_UP):
        look()
        time.sleep(0.2)
    found = 0
    began = time.process_time()
    for _ in range(seconds):
        time.sleep(1)
        found += bool(look())
    print(json.dumps({"cpu": time.process_time() - began, "found": found}))


@contextmanager
def writer(path: Path) -> Iterator[None]:
    process = subprocess.Popen([*ITSELF, "--write", str(path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout and process.stdout.readline() == b"full\n"
        yield
    finally:
        process.kill()
        process.communicate()


def run(method: str, seconds: int) -> float:
    """CPU seconds of one method."""
    with tempfile.TemporaryDirectory() as folder, writer(path := Path(folder) / FILE):
        command = [*ITSELF, "--method", method, "--write", str(path)]
        out = subprocess.check_output([*command, "--seconds", str(seconds)])
    result = json.loads(out)
    # The newest record may be cut anywhere, which the predecessors' repair does not always mend.
    assert result["found"] >= 0.8 * seconds, f"{method} found only {result['found']} records"
    cpu: float = result["cpu"]
    return cpu


@contextmanager
def broker() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(["mosquitto", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(5)


def run_service(seconds: int) -> tuple[float, float]:
    """CPU seconds and memory (PSS, MB) of the whole service, publishing once a second."""
    with (
        tempfile.TemporaryDirectory() as folder,
        writer(Path(folder) / FILE),
        broker() as port,
    ):
        kept = {name: value for name, value in os.environ.items() if name[:7] != "BEEPER_"}
        settings = {"BEEPER_MQTT__PORT": str(port), "BEEPER_RUNTIME_DIR": folder}
        process = subprocess.Popen(
            [sys.executable, "-m", "metadata"], env=kept | settings, stderr=subprocess.DEVNULL
        )
        try:
            listen(port, 2)
            # The number of a process's CPU clock, as clock_getcpuclockid(3) makes it: in ns, where
            # /proc counts in steps of 10 ms.
            clock = (~process.pid << 3) | 2
            before = time.clock_gettime(clock)
            listen(port, seconds)
            used = time.clock_gettime(clock) - before
            memory = psutil.Process(process.pid).memory_full_info().pss / 1e6
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(5)
    return used, memory


def listen(port: int, messages: int) -> None:
    """Wait for so many records from the bus."""
    count = str(messages)
    topic = "beeper/camera/csi/metadata"
    command = ["mosquitto_sub", "-R", "-p", str(port), "-t", topic, "-C", count]
    for _ in range(50):
        if subprocess.run(command, capture_output=True, timeout=messages * 2 + 10).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("no broker")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=int, default=20, help="for each of the four runs")
    options.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    options.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.method:
        measure(given.method, given.write, given.seconds)
    elif given.write:
        write(given.write)
    else:
        compare(given.seconds)


def compare(seconds: int) -> None:
    cpu = {method: run(method, seconds) for method in METHODS}
    print(f"{SIZE / 1e6:.0f} MB file, {RATE} records/s, {seconds} s each, one look a second")
    print(f"{'':<40}{'ms of CPU a look':>18}{'% of a core':>13}")
    for method, used in cpu.items():
        show(METHODS[method][0], used / seconds)
    used, memory = run_service(seconds)
    show("the whole service, with its MQTT client", used / seconds)
    print(f"memory of the whole service: {memory:.0f} MB (PSS)")
    freed, cost = give_back()
    print(f"giving back {freed / 1e6:.1f} MB, once in {freed / per_second():.0f} s: {cost:.2f} ms")
    if cpu["ours"] >= min(cpu["all"], cpu["tail"]):
        sys.exit("ours is not the cheapest")


def show(name: str, used: float) -> None:
    print(f"{name:<40}{used * 1000:>18.3f}{used * 100:>13.4f}")


def per_second() -> int:
    """Bytes that the writer appends."""
    return RATE * len(",\n".join(record(0)))


def give_back() -> tuple[int, float]:
    """Bytes that are freed at a time, and the CPU time of that (ms); in a process of its own."""
    program = """if True:
        import json, os, sys, tempfile, time
        from metadata.follower import DISK_LIMIT, KEEP
        from metadata.hole import punch
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(DISK_LIMIT))
            file.flush()
            punch(file.fileno(), 4096)
            began = time.process_time()
            punch(file.fileno(), DISK_LIMIT - KEEP)
            json.dump([DISK_LIMIT - KEEP, (time.process_time() - began) * 1000], sys.stdout)
    """
    freed, cost = json.loads(subprocess.check_output([sys.executable, "-P", "-c", program]))
    return freed, cost


if __name__ == "__main__":
    main()
