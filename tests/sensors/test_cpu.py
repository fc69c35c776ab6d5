"""The processor as a folder of small files tells it."""

from pathlib import Path

import pytest
from sensors.cpu import frequency, measure, temperature
from sensors.settings import Cpu, Sensors


@pytest.fixture
def cpu(tmp_path: Path) -> Cpu:
    return Cpu(sys=tmp_path / "sys", proc=tmp_path / "proc")


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def zone(cpu: Cpu, number: int, kind: str, millidegrees: str) -> None:
    put(cpu.sys / f"class/thermal/thermal_zone{number}/type", kind + "\n")
    put(cpu.sys / f"class/thermal/thermal_zone{number}/temp", millidegrees + "\n")


def clock(cpu: Cpu, kilohertz: int) -> None:
    put(cpu.sys / "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", f"{kilohertz}\n")


def test_a_raspberry_pi(cpu: Cpu) -> None:
    zone(cpu, 0, "cpu-thermal", "62838")
    clock(cpu, 1_400_000)
    message = measure(Sensors(cpu=cpu), 0x80008)
    assert message is not None
    assert (message.cpu_temp, message.cpu_freq_mhz, message.throttled) == (62.838, 1400, 0x80008)
    assert message.soft_temp_limit
    assert message.soft_temp_limit_occurred
    assert message.under_voltage is False
    assert message.under_voltage_occurred is False
    assert message.interval == Sensors().interval


def test_a_pc_without_a_temperature_still_tells_its_clock(cpu: Cpu) -> None:
    put(cpu.proc / "cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2600.125\n")
    message = measure(Sensors(cpu=cpu), None)
    assert message is not None
    assert (message.cpu_temp, message.cpu_freq_mhz) == (None, 2600.125)
    assert (message.throttled, message.under_voltage) == (None, None)


def test_a_machine_that_tells_nothing_publishes_nothing(cpu: Cpu) -> None:
    assert measure(Sensors(cpu=cpu), None) is None


def test_cpufreq_is_preferred(cpu: Cpu) -> None:
    put(cpu.proc / "cpuinfo", "cpu MHz\t\t: 2600\n")
    clock(cpu, 600_000)
    assert frequency(cpu) == 600


def test_the_processors_zone_is_chosen_among_others(cpu: Cpu) -> None:
    zone(cpu, 0, "acpitz", "27800")
    zone(cpu, 1, "iwlwifi_1", "99000")
    zone(cpu, 2, "x86_pkg_temp", "51000")
    assert temperature(cpu.sys) == 51


@pytest.mark.parametrize("content", ["", "nonsense", "1.5"])
def test_an_unreadable_temperature_is_none(cpu: Cpu, content: str) -> None:
    zone(cpu, 0, "cpu-thermal", content)
    assert temperature(cpu.sys) is None


def test_frost_is_below_zero(cpu: Cpu) -> None:
    zone(cpu, 0, "cpu-thermal", "-5500")
    assert temperature(cpu.sys) == -5.5
