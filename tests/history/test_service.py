"""The service on a real broker: what was said is kept, and found again."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from bus import Declined
from bus.messages import (
    CameraMetadata,
    CameraStatus,
    CpuTemperature,
)
from bus.points import moment
from bus.topics import CAMERA_METADATA, CAMERA_STATUS, CPU
from conftest import Broker

from .past import LEVEL, Past, on_disk, until

NEVER = "3600"


async def test_what_was_measured_is_answered_before_and_after_it_is_written(past: Past) -> None:
    await past.begin(flush=NEVER)
    now = time.time()
    for i in range(5):
        await past.hum(40 + i, now - 5 + i)

    async def heard() -> bool:
        return await past.levels(now - 10) == [40, 41, 42, 43, 44]

    await until(heard, "all of it is answered")
    metadata = CameraMetadata(timestamp=now, Lux=12.5, SensorTimestamp=2**62)
    await past.say(CAMERA_METADATA, metadata, camera="csi")
    await past.say(CPU, CpuTemperature(timestamp=now, cpu_temp=51, under_voltage=True))

    async def known() -> bool:
        return len(await past.sources()) == 5

    await until(known, "three topics, and the status of two services")
    sources = await past.sources()
    assert sources["audio/level"].fields == ["simulated", "level_db", "level_dbfs", "peak_dbfs"]
    assert sources["audio/level"].first == pytest.approx(now - 5, abs=0.001)
    assert "Lux" in sources["camera/csi/metadata"].fields
    assert (await past.ask(now - 1, now + 1, "camera/csi/metadata:Lux")).mean == [12.5]
    assert (await past.ask(now - 1, now + 1, "sensors/cpu/temperature:under_voltage")).max == [1]


async def test_nothing_that_arrived_is_lost_by_kill_nine(past: Past, tmp_path: Path) -> None:
    service = await past.begin(flush="0.05")
    began = time.time()
    said = 0

    async def speak() -> None:
        nonlocal said
        while True:
            await past.hum(said % 100, began + said / 1000)
            said += 1
            # More than 1,000 while the service is away would be too many for the broker.
            await asyncio.sleep(0.005)

    speaking = asyncio.create_task(speak())
    for _ in range(3):
        count = said

        async def written(more: int = count + 50) -> bool:
            return len(await asyncio.to_thread(on_disk, tmp_path)) > more

        await until(written, "batches are being written")
        service.kill()
        service = await past.begin(flush="0.05")
    speaking.cancel()

    async def whole() -> bool:
        return len(await asyncio.to_thread(on_disk, tmp_path)) >= said

    await until(whole, "every reading is there")
    # The last one may have been said without its being known here.
    assert on_disk(tmp_path)[:said] == [number % 100 for number in range(said)]


async def test_what_comes_while_it_is_away_is_kept_for_it(past: Past, tmp_path: Path) -> None:
    service = await past.begin(flush=NEVER)
    began = time.time()
    await past.hum(1, began)

    async def heard() -> bool:
        return await past.levels(began) == [1]

    await until(heard, "the first is heard")
    assert service.terminate() == 0
    assert on_disk(tmp_path) == [1]
    for level in (2, 3):
        await past.hum(level, began + level)
    await past.begin(flush=NEVER)

    async def all_of_it() -> bool:
        return await past.levels(began) == [1, 2, 3]

    await until(all_of_it, "what came meanwhile is there")


async def test_a_broker_that_restarts_with_everything_leaves_a_gap_of_that_length(
    past: Past, broker: Broker
) -> None:
    service = await past.begin(flush=NEVER)
    began = time.time()
    await past.hum(1, began, interval=0.1)

    async def heard() -> bool:
        return await past.levels(began) == [1]

    await until(heard, "the first is heard")
    broker.stop()
    service.kill()
    broker.start()
    await past.bus.link.ready()
    await past.begin(flush=NEVER)
    back = await past.hum(2, interval=0.1)

    async def both() -> bool:
        return await past.levels(began) == [1, 2]

    # What was retained is said again by whoever said it, so even the first one is there.
    await until(both, "both are there")
    series = await past.ask(began - 1, back + 1)
    assert series.mean == [1, None, 2]
    assert series.timestamps == sorted(series.timestamps)


async def test_a_full_disk_is_said_and_what_comes_meanwhile_is_kept(
    past: Past, tmp_path: Path
) -> None:
    service = await past.begin(flush="0.1")
    began = time.time()
    await past.hum(1, began)

    async def written() -> bool:
        return await asyncio.to_thread(on_disk, tmp_path) == [1]

    await until(written, "the first is on the disk")
    limits = psutil.Process(service.process.pid)
    limits.rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    await past.hum(2, began + 1)
    await until(past.problem, "the trouble is said")
    assert "history.sqlite" in await past.problem() and "wait for it" in await past.problem()
    assert await past.levels(began) == [1, 2]
    limits.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    async def all_written() -> bool:
        return await asyncio.to_thread(on_disk, tmp_path) == [1, 2]

    await until(all_written, "both are on the disk")

    async def well() -> bool:
        return not await past.problem()

    await until(well, "it is well again")


@pytest.mark.parametrize("damage", ["rubbish", "half"])
async def test_a_damaged_file_is_put_aside(past: Past, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "state" / "history.sqlite"
    if damage == "rubbish":
        file.write_bytes(b"no database" * 1000)
    else:
        service = await past.begin(flush="0.05")
        await past.hum(1)
        await until(lambda: written_one(tmp_path), "it is written")
        service.terminate()
        data = file.read_bytes()
        file.write_bytes(data[:4096] + bytes(len(data) - 4096))
    await past.begin(flush="0.05")
    began = await past.hum(2)

    async def kept() -> bool:
        return 2 in await past.levels(began)

    await until(kept, "it goes on")
    assert list(file.parent.glob("history.sqlite.broken-*"))


async def written_one(folder: Path) -> bool:
    return await asyncio.to_thread(on_disk, folder) == [1]


async def test_rubbish_is_counted_and_what_is_right_is_kept(past: Past) -> None:
    await past.begin(flush="0.05")
    began = time.time()
    level = {"level_db": 1, "level_dbfs": -99, "peak_dbfs": -90}
    rubbish: tuple[bytes, ...] = (
        b"\xff\xfe",
        b"[" * 5000,
        b"{}",
        json.dumps(level | {"timestamp": "now"}).encode(),
        json.dumps(level | {"timestamp": began, "drop": "table"}).encode(),
        json.dumps(level | {"timestamp": began + 10 * 86_400}).encode(),
        json.dumps(level | {"timestamp": 1}).encode(),
        b'{"timestamp": 1, "level_db": NaN, "level_dbfs": 1, "peak_dbfs": 1}',
    )
    for payload in rubbish:
        await past.bus.link.send("beeper/audio/level", payload, 1, False)
    stats: dict[str, Any] = {"cpu_percent": 1, "memory_percent": 1, "memory_used_bytes": 2**70}
    stats |= {"memory_total_bytes": 1, "disk_percent": 1, "load_1m": 1, "uptime_seconds": 1}
    stats |= {"net_rx_bytes": 0, "net_tx_bytes": 0, "timestamp": began}
    whole = json.dumps(stats | {"os": "'; DROP TABLE series; --", "kernel": "\u0000"}).encode()
    await past.bus.link.send("beeper/system/stats", whole, 1, False)
    await past.bus.link.send("beeper/camera/../metadata", b"{}", 1, False)
    await past.hum(7, began)

    async def counted() -> bool:
        return past.status is not None and past.status.invalid_messages >= len(rubbish) + 1

    await until(counted, "all of it is counted")
    assert await past.levels(began) == [7]
    assert "system/stats" not in await past.sources()


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        ("audio/level:loudness", 404),
        ("system/stats:os", 404),
        ("chat/message:number", 404),
        ("audio:level_db", 404),
        ("nothing/at/all:x", 404),
    ],
)
async def test_what_there_is_not_is_said(past: Past, metric: str, code: int) -> None:
    await past.begin()
    with pytest.raises(Declined) as declined:
        await past.ask(1, 2, metric)
    assert declined.value.code == code
    with pytest.raises(Declined, match="not after the start"):
        await past.ask(2, 1, LEVEL)


async def test_of_too_many_topics_the_further_ones_are_not_kept(past: Past) -> None:
    await past.begin(flush="0.05", series="3")
    now = time.time()
    for number in range(5):
        await past.say(CAMERA_METADATA, CameraMetadata(timestamp=now), camera=f"c{number}")

    async def said() -> bool:
        problems = past.status.problems if past.status else {}
        return "history.series" in problems.get("series", "")

    await until(said, "it is said")
    assert len(await past.sources()) == 3


async def test_an_export_is_the_point_that_telegraf_writes(past: Past, tmp_path: Path) -> None:
    service = await past.begin(flush="0.05")
    status = CameraStatus(timestamp=1, state="backoff", driver='a "b", c=d\\', error="line\nend")
    now = time.time()
    await past.say(CAMERA_STATUS, status.model_copy(update={"timestamp": now}), camera="csi")
    cpu = CpuTemperature(timestamp=now, cpu_temp=50, throttled=0, under_voltage=True)
    await past.say(CPU, cpu)

    async def known() -> bool:
        return {"camera/csi/status", "sensors/cpu/temperature"} <= set(await past.sources())

    await until(known, "both are kept")
    service.terminate()
    state = str(tmp_path / "state")
    command = [
        sys.executable,
        "-m",
        "history.export",
        "--since",
        "2020-01-01",
        "--state-dir",
        state,
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu_line = "sensors_cpu_temperature,sensor=cpu,station=home cpu_temp=50,simulated=false,"
    assert f"{cpu_line}throttled=0i,under_voltage=true {moment(now)}\n" in printed
    assert r"""camera_status,camera=csi,station=home demand="always",""" in printed
    assert r"""driver="a \"b\", c=d\\",""" in printed
    missing = subprocess.run(
        [*command[:-1], "/nowhere"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 1 and "/nowhere/history.sqlite" in missing.stderr
