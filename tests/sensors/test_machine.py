"""The machine's own state."""

import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from sensors.machine import measure, operating_system, traffic
from sensors.settings import Sensors, System
from sensors.source import Fault


def test_the_state_is_this_machines() -> None:
    stats = measure(Sensors(), "an OS", 12.5)
    assert stats.cpu_percent == 12.5
    assert stats.memory_total_bytes == psutil.virtual_memory().total
    assert 0 < stats.memory_used_bytes < stats.memory_total_bytes
    share = 100 * stats.memory_used_bytes / stats.memory_total_bytes
    assert stats.memory_percent == pytest.approx(share, abs=0.1)
    assert stats.uptime_seconds == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)
    assert stats.kernel == Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert abs(stats.timestamp - time.time()) < 5
    assert not stats.simulated


def test_loopback_is_not_traffic() -> None:
    received, sent = traffic()
    everything = psutil.net_io_counters()
    loopback = psutil.net_io_counters(pernic=True).get("lo")
    assert loopback is not None
    assert 0 <= received <= everything.bytes_recv - loopback.bytes_recv + 1_000_000
    assert 0 <= sent <= everything.bytes_sent - loopback.bytes_sent + 1_000_000


def test_only_devices_are_counted_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = {
        name: SimpleNamespace(bytes_recv=10, bytes_sent=1) for name in ("lo", "eth0", "br0")
    }
    monkeypatch.setattr(psutil, "net_io_counters", lambda **_: counters)
    assert traffic(tmp_path) == (20, 2)
    (tmp_path / "eth0" / "device").mkdir(parents=True)
    assert traffic(tmp_path) == (10, 1)


def test_the_operating_system_has_its_pretty_name() -> None:
    lines = Path("/etc/os-release").read_text().splitlines()
    pretty = next(line for line in lines if line.startswith("PRETTY_NAME="))
    assert operating_system() == pretty.partition("=")[2].strip('"')


def test_a_disk_that_is_not_there_is_said() -> None:
    sensors = Sensors(system=System(disk=Path("/no/such/disk")))
    with pytest.raises(Fault, match=r"sensors.system.disk = /no/such/disk"):
        measure(sensors, "an OS", 0)
