"""What the history of a station costs an SD card, and how long a question takes.

A simulated day of a whole station (two cameras, every sensor, twelve services) goes through the
service's own store: a batch a minute as by default, and beside it every reading for itself. Bytes
are what the kernel was given for the disk (/proc/self/io, write_bytes) and what fsync was called
for. Then a month of the two sources that speak most, and questions about it.
"""

import argparse
import functools
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bus.messages import (
    AudioLevel,
    CameraMetadata,
    CameraStatus,
    Climate,
    CpuTemperature,
    Message,
    ServiceStatus,
    SystemStats,
    Viewers,
    WebrtcStatus,
)
from bus.points import point
from bus.topics import (
    AUDIO,
    CAMERA_METADATA,
    CAMERA_STATUS,
    CLIMATE,
    CPU,
    SERVICE_STATUS,
    SYSTEM,
    VIEWERS,
    WEBRTC_STATUS,
    Topic,
)
from history import retention
from history.metric import read
from history.settings import History
from history.sqlite import query
from history.store import Store

DAY = 86_400
MONTH = 30 * DAY
SERVICES = (
    *("camera-csi", "camera-usb", "stills", "aac", "metadata", "sensors", "chat", "history"),
    *("stepper", "webrtc", "web", "relay-mediamtx"),
)
POINTS = 1000


def wave(moment: float, period: float = 7000) -> float:
    """Something that changes all the time, as measurements do."""
    return round(math.sin(moment / period) + math.sin(moment * 7.3) / 20, 4)


def climate(t: float) -> Climate:
    return Climate(
        timestamp=t,
        interval=10,
        temperature=21 + wave(t),
        temperature_raw=23 + wave(t),
        humidity=50 + 5 * wave(t),
        pressure=1013 + wave(t, 40_000),
        gas_resistance=90_000 + 5000 * wave(t),
        iaq=60 + 20 * wave(t),
        iaq_accuracy=3,
        iaq_class="Good",
        co2_equivalent=600 + 90 * wave(t),
    )


def cpu(t: float) -> CpuTemperature:
    return CpuTemperature(
        timestamp=t, interval=10, cpu_temp=50 + wave(t), cpu_freq_mhz=1400, throttled=0
    )


def system(t: float) -> SystemStats:
    return SystemStats(
        timestamp=t,
        interval=10,
        cpu_percent=30 + 20 * wave(t),
        memory_percent=40 + wave(t),
        memory_used_bytes=400_000_000 + int(1e6 * wave(t)),
        memory_total_bytes=1_000_000_000,
        disk_percent=30,
        load_1m=0.5,
        uptime_seconds=t % 1e6,
        net_rx_bytes=int(t * 1000) % 10**12,
        net_tx_bytes=int(t * 9000) % 10**12,
        os="Raspberry Pi OS",
        kernel="6.12.47+rpt-rpi-v8",
    )


def audio(t: float) -> AudioLevel:
    level = 45 + 5 * wave(t)
    return AudioLevel(
        timestamp=t, interval=1, level_db=level, level_dbfs=level - 95, peak_dbfs=level - 80
    )


def metadata(t: float) -> CameraMetadata:
    return CameraMetadata(
        timestamp=t,
        interval=1,
        ExposureTime=20_000 + 100 * wave(t),
        AnalogueGain=2 + wave(t),
        DigitalGain=1,
        Lux=200 + 90 * wave(t),
        ColourTemperature=4000 + 100 * wave(t),
        FrameDuration=66_666,
        SensorTimestamp=int(t * 1e9) % 2**53,
    )


def camera(t: float) -> CameraStatus:
    about: dict[str, Any] = {"state": "streaming", "driver": "v4l2", "width": 640, "height": 480}
    about |= {"video_codec": "avc1.42C01F", "encoding": "software", "clock": "sensor"}
    return CameraStatus(
        timestamp=t, interval=10, fps=15, bitrate_kbps=700 + 50 * wave(t), last_frame_at=t, **about
    )


def service(t: float) -> ServiceStatus:
    return ServiceStatus(state="online", version="0.1.0", started_at=1, timestamp=t)


def viewers(t: float) -> Viewers:
    return Viewers(viewers=[], count=0, timestamp=t)


def webrtc(t: float) -> WebrtcStatus:
    return WebrtcStatus(sessions=0, max_sessions=20, ice_servers=[], timestamp=t)


Source = tuple[Topic[Any], dict[str, str], float, Callable[[float], Message]]
LOUD: list[Source] = [(AUDIO, {}, 1, audio), (CLIMATE, {}, 10, climate)]
STATION: list[Source] = [
    *LOUD,
    (CPU, {}, 10, cpu),
    (SYSTEM, {}, 10, system),
    (CAMERA_METADATA, {"camera": "csi"}, 1, metadata),
    *((CAMERA_STATUS, {"camera": name}, 10.0, camera) for name in ("csi", "usb")),
    *((SERVICE_STATUS, {"instance": name}, 10.0, service) for name in SERVICES),
    (VIEWERS, {}, 10, viewers),
    (WEBRTC_STATUS, {}, 10, webrtc),
]


def minutes(sources: list[Source], begin: float, seconds: float) -> Iterator[list[Any]]:
    """What the sources say, a minute at a time, in order of time."""
    for minute in range(int(begin), int(begin + seconds), 60):
        said = [
            (minute + second + i / 100, topic, levels, make)
            for i, (topic, levels, every, make) in enumerate(sources)
            for second in range(0, 60, int(every))
        ]
        yield [
            (point(topic, levels, make(t)), None)
            for t, topic, levels, make in sorted(said, key=lambda one: one[0])
        ]


def written() -> int:
    """Bytes that this process has given the kernel for the disk."""
    lines = Path("/proc/self/io").read_text(encoding="utf-8").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def cost(folder: Path, seconds: float, single: bool) -> tuple[float, float, int, int]:
    """A span of a station: bytes a day, file bytes a day, syncs a day, readings a day."""
    store = Store(folder, 2000)
    store.open()
    now = time.time()
    before, syncs, readings = written(), 0, 0
    for count, batch in enumerate(minutes(STATION, now - seconds, seconds)):
        readings += len(batch)
        for part in [[one] for one in batch] if single else [batch]:
            store.add(part)
            store.flush()
            syncs += 1
        if count % 60 == 59:
            retention.roll(store, int(batch[0][0].moment // 300_000 * 300_000))
    store.close()
    os.sync()
    days = seconds / DAY
    size = (folder / "history.sqlite").stat().st_size
    return (written() - before) / days, size / days, int(syncs / days), int(readings / days)


def month(folder: Path) -> Store:
    """A month of what speaks most, in big batches."""
    store = Store(folder, 2000)
    store.open()
    now = time.time()
    for count, batch in enumerate(minutes(LOUD, now - MONTH, MONTH)):
        store.add(batch)
        if count % 600 == 599:
            store.flush()
    store.flush()
    retention.tidy(store, History())
    return store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24, help="of a station, in batches")
    parser.add_argument("--folder", type=Path, default=Path(), help="on a disk, not on tmpfs")
    options = parser.parse_args()
    temporary = functools.partial(tempfile.TemporaryDirectory, dir=options.folder)
    with temporary() as first, temporary() as second:
        batched = cost(Path(first), options.hours * 3600, single=False)
        naive = cost(Path(second), 600, single=True)
    for words, (total, size, syncs, readings) in (
        ("a batch a minute", batched),
        ("each reading for itself", naive),
    ):
        print(
            f"{words}: {readings} readings a day, {total / 1e6:.0f} MB written, "
            f"{syncs} syncs, {size / 1e6:.0f} MB of them stay"
        )
    with temporary() as third:
        store = month(Path(third))
        print(f"a month of sound and air: {retention.size(store) / 1e6:.0f} MB")
        for name in ("audio/level:level_db", "sensors/bme680/all:temperature"):
            for span, seconds in (
                ("hour", 3600),
                ("day", DAY),
                ("week", 7 * DAY),
                ("month", MONTH),
            ):
                now = time.time()
                times = []
                for _ in range(5):
                    began = time.perf_counter()
                    series = query(store, read(name, "home"), now - seconds, now, POINTS)
                    times.append(time.perf_counter() - began)
                least = min(times) * 1000
                print(f"{name}, a {span}: {len(series.mean)} points, {least:.1f} ms")
        store.close()


if __name__ == "__main__":
    main()
