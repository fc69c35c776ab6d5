"""A hub: readings through an outage, and how old they arrive over a slow link beside video.

    python benchmarks/hub.py          (as root for the second part: it makes a network namespace)

First, half an hour of readings of two stations is published as fast as the brokers take it; the
link of one is cut for the second third of it. Then a whole station stands behind an uplink of
1 Mbit/s (a token bucket that holds back up to 400 ms, as home routers do), and somebody at the hub
watches its camera of 1.5 Mbit/s.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from bridged import Client, HubBroker, StationBroker
from bus.rights import BRIDGED, OBSERVER
from bus.topics import parse
from conftest import starter, wait_until
from station.broker import password_file
from web_station import Web, frames
from whole import Station

SPACE, HERE, THERE = "beeper-barn", "10.124.0.1", "10.124.0.2"
FPS, KBPS = 30, 1500
TOPICS = {
    "beeper/sensors/bme680/all": 0.1,
    "beeper/sensors/cpu/temperature": 0.1,
    "beeper/system/stats": 0.1,
    "beeper/audio/level": 1.0,
    **{f"beeper/camera/{name}/metadata": 1.0 for name in ("csi", "usb")},
    **{f"beeper/camera/{name}/status": 0.1 for name in ("csi", "usb")},
    **{f"beeper/service/s{number}/status": 0.1 for number in range(12)},
}
"""What a station of two cameras says, and how many times a second."""
Row = tuple[str, int]


def schedule(seconds: float) -> list[tuple[float, str]]:
    """Every reading of a station: its time from the start (s), and its topic."""
    plan = []
    for name, rate in TOPICS.items():
        plan += [(number / rate, name) for number in range(int(seconds * rate))]
    return sorted(plan)


def outage(folder: Path, minutes: float) -> None:
    """Publish the schedule of two stations; count what a store has of it."""
    hub = HubBroker(folder / "hub", ("barn", "coop"), ("web",))
    stations = [StationBroker(folder / n, n, hub, ("web",), 3600) for n in ("barn", "coop")]
    plan = schedule(60 * minutes)
    thirds = [plan[len(plan) * part // 3 : len(plan) * (part + 1) // 3] for part in range(3)]
    with Client(hub, OBSERVER, "stations/+/beeper/#") as store:
        for part, readings in enumerate(thirds):
            if part == 1:
                stations[0].cable.cut()
            if part == 2:
                mended = time.monotonic()
                stations[0].cable.mend()
            for station in stations:
                publish(station, readings)
        wanted = {
            (f"stations/{s.name}/{name}", round(at * 1000)) for s in stations for at, name in plan
        }
        wait_until(lambda: len(rows(store)) >= len(wanted), "every reading", 120)
        took = time.monotonic() - mended
        arrived = rows(store)
        lost = len(wanted - arrived.keys())
        print(
            f"{minutes:g} min of two stations, {len(wanted)} readings, one link cut for a third:"
            f" {lost} lost, {sum(arrived.values()) - len(arrived)} came twice and are one row each,"
            f" all there {took:.1f} s after the link was back"
        )
    for broker in (hub, *stations):
        broker.stop()


def publish(station: StationBroker, readings: list[tuple[float, str]]) -> None:
    """Say all of it at once, as large as a real one."""
    with Client(station, "anybody") as client:
        for at, name in readings:
            client.publish(name, json.dumps({"at": round(at * 1000), "x": "x" * 250}).encode())
        client.delivered()


def rows(store: Client) -> Counter[Row]:
    """Station, topic and time of what has arrived, and how often it has: a store keeps one each."""
    return Counter(
        (name, json.loads(payload)["at"])
        for name, payload in list(store.heard)
        if payload[:2] == b'{"'
    )


@contextlib.contextmanager
def uplink(kbit: int) -> Iterator[None]:
    """A network namespace that sends no faster."""
    run("ip", "netns", "add", SPACE)
    try:
        run("ip", "link", "add", "beeper1", "type", "veth", "peer", "name", "eth0", "netns", SPACE)
        run("ip", "addr", "add", f"{HERE}/30", "dev", "beeper1")
        run("ip", "link", "set", "beeper1", "up")
        run("ip", "-n", SPACE, "link", "set", "lo", "up")
        run("ip", "-n", SPACE, "addr", "add", f"{THERE}/30", "dev", "eth0")
        run("ip", "-n", SPACE, "link", "set", "eth0", "up")
        bucket = ("rate", f"{kbit}kbit", "burst", "4kb", "latency", "400ms")
        run(
            "ip",
            "netns",
            "exec",
            SPACE,
            "tc",
            "qdisc",
            "add",
            "dev",
            "eth0",
            "root",
            "tbf",
            *bucket,
        )
        yield
    finally:
        subprocess.run(["ip", "link", "del", "beeper1"], check=False)
        run("ip", "netns", "del", SPACE)


def run(*command: str) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True)


def beside_video(folder: Path, kbit: int, seconds: float) -> None:
    """A whole station behind the link, watched from the hub."""
    hub = HubBroker(folder / "hub", ("barn",), ("web",), HERE)
    settings = {
        "BEEPER_HUB__HOST": HERE,
        "BEEPER_HUB__PORT": str(hub.tls_port),
        "BEEPER_HUB__STATION": "barn",
        "BEEPER_HUB__PASSWORD_FILE": str(password_file(hub.folder, "barn")),
        "BEEPER_HUB__CA_FILE": str(hub.folder / "ca.crt"),
        "BEEPER_RELAY__HUB__URL": "hub",
        "BEEPER_RELAY__HUB__CAMERA": "csi",
        "BEEPER_CAMERA__CSI__FPS": str(FPS),
        "BEEPER_CAMERA__CSI__BITRATE_KBPS": str(KBPS),
        "BEEPER_CAMERA__USB__ENABLED": "false",
        "BEEPER_SENSORS__INTERVAL": "1",
    }
    (folder / "barn").mkdir()
    station = Station(folder / "barn", "ip", "netns", "exec", SPACE, **settings)
    try:
        with starter(hub, folder) as start, Client(hub, OBSERVER, "stations/#") as store:
            web = Web(start, hub="true")
            wait_until(lambda: has_video(web), "the hub knows the camera", 90)
            begin = len(store.heard)
            time.sleep(seconds / 2)
            report("readings alone", ages(store, begin))
            with web.socket("stations/barn/live/csi") as socket:
                begin = len(store.heard)
                seen, end = [], time.monotonic() + seconds
                while time.monotonic() < end:
                    seen += frames(socket, 1)
                report("readings beside video", ages(store, begin))
                report("the video", [frame.age for frame in seen])
                print(f"  {len(seen) / seconds:.1f} of {FPS} frames a second")
    finally:
        station.close()
        hub.stop()


def has_video(web: Web) -> bool:
    """Whether the camera can be watched at the hub."""
    answer = web.get("/stations/barn/api/cameras")
    cameras = answer.json()["cameras"] if answer.status == 200 else []
    return any("video" in camera["tracks"] for camera in cameras)


def ages(store: Client, begin: int) -> list[float]:
    """Seconds from the measurement to the arrival at the hub."""
    found = []
    for (name, payload), at in zip(store.heard[begin:], store.times[begin:], strict=False):
        if (parsed := parse(name)) and parsed[0] in BRIDGED:
            found.append(at - json.loads(payload)["timestamp"])
    return found


def report(name: str, seconds: list[float]) -> None:
    """One line."""
    quantiles = statistics.quantiles(seconds, n=20)
    print(
        f"{name:<22} {len(seconds):5d} arrived; age p50 {quantiles[9] * 1000:5.0f} ms,"
        f" p95 {quantiles[18] * 1000:5.0f}, max {max(seconds) * 1000:5.0f}"
    )


def main() -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="of readings, in the first part")
    parser.add_argument("--seconds", type=float, default=60, help="of watching, in the second")
    parser.add_argument("--kbit", type=int, default=1000, help="rate of the uplink")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        outage(Path(name), options.minutes)
    if os.geteuid() != 0:
        sys.exit("the second part needs root")
    with tempfile.TemporaryDirectory() as name, uplink(options.kbit):
        beside_video(Path(name), options.kbit, options.seconds)


if __name__ == "__main__":
    main()
