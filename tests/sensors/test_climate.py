"""Readings of the air as published: compensated, judged, remembered."""

from pathlib import Path

import pytest
from bus.messages import Climate
from sensors import baseline
from sensors.climate import Probe
from sensors.settings import Bme680, Iaq, Sensors, Step

KNOWN = Iaq(warmup=0)


def sensors(*script: Step, iaq: Iaq = KNOWN, **bme680: float) -> Sensors:
    chip = Bme680(driver="simulated", heater_ms=20, script=script, **bme680)  # type: ignore[arg-type]
    return Sensors(bme680=chip, iaq=iaq, interval=7)


def test_a_reading_says_what_it_is_and_when(tmp_path: Path) -> None:
    climate = Probe(sensors(temperature_offset=2), tmp_path).read()
    assert climate.simulated
    assert climate.interval == 7
    assert climate.temperature == pytest.approx(climate.temperature_raw - 2)
    assert climate.gas_resistance is not None


def test_cooler_than_raw_means_moister_than_raw(tmp_path: Path) -> None:
    raw = Probe(sensors(temperature_offset=0), tmp_path).read()
    compensated = Probe(sensors(temperature_offset=3), tmp_path).read()
    assert compensated.humidity == pytest.approx(raw.humidity * 1.2, rel=0.03)


def test_the_processors_heat_is_taken_off(tmp_path: Path) -> None:
    zone = tmp_path / "class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("60000\n")
    cpu = Sensors().cpu.model_copy(update={"sys": tmp_path})
    chosen = sensors(temperature_offset=0, cpu_factor=0.1).model_copy(update={"cpu": cpu})
    climate = Probe(chosen, tmp_path).read()
    expected = climate.temperature_raw - 0.1 * (60 - climate.temperature_raw)
    assert climate.temperature == pytest.approx(expected, abs=0.01)


def test_index_is_null_until_warm_and_then_there(tmp_path: Path) -> None:
    cold = Probe(sensors(iaq=Iaq()), tmp_path).read()
    assert (cold.iaq, cold.iaq_accuracy, cold.iaq_class) == (None, 0, None)
    warm = Probe(sensors(), tmp_path).read()
    assert (warm.iaq, warm.iaq_accuracy, warm.iaq_class) == (25, 1, "Excellent")
    assert warm.co2_equivalent == 550


def test_an_unstable_heater_costs_only_the_gas(tmp_path: Path) -> None:
    probe = Probe(sensors("ok", "cold"), tmp_path)
    cold, warm = probe.read(), probe.read()
    assert (cold.gas_resistance, cold.iaq, cold.iaq_accuracy) == (None, None, 0)
    assert cold.temperature == pytest.approx(warm.temperature, abs=0.1)
    assert warm.iaq is not None


def test_a_failure_says_what_to_do_and_the_next_reading_starts_anew(tmp_path: Path) -> None:
    probe = Probe(sensors("ok", "ok", "silent", "silent"), tmp_path)
    assert isinstance(probe.read(), Climate)
    reasons = set()
    for _ in range(2):
        with pytest.raises(OSError, match="check its wiring") as failure:
            probe.read()
        reasons.add(str(failure.value))
    assert len(reasons) == 1, "one text, so that it is reported once"
    assert isinstance(probe.read(), Climate)


def test_a_stuck_measurement_is_started_anew(tmp_path: Path) -> None:
    probe = Probe(sensors("ok", "stuck"), tmp_path)
    with pytest.raises(OSError, match="starting it anew"):
        probe.read()
    assert isinstance(probe.read(), Climate)


def test_baseline_survives_a_restart(tmp_path: Path) -> None:
    before = Probe(sensors(), tmp_path)
    before.read()
    before.keep()
    saved = (tmp_path / baseline.NAME).read_text()
    after = Probe(sensors(iaq=Iaq(warmup=1e9)), tmp_path)
    after.read()
    after.keep()
    assert '"baseline": ' in saved
    known = baseline.Saved.model_validate_json((tmp_path / baseline.NAME).read_bytes())
    assert known.baseline == baseline.Saved.model_validate_json(saved).baseline


def test_baseline_is_written_seldom(tmp_path: Path) -> None:
    probe = Probe(sensors(iaq=Iaq(warmup=0, save_interval=3600)), tmp_path)
    for _ in range(3):
        probe.read()
    assert not list(tmp_path.iterdir())
    eager = Probe(sensors(iaq=Iaq(warmup=0, save_interval=0.001)), tmp_path)
    eager.read()
    assert (tmp_path / baseline.NAME).exists()


def test_nothing_learned_is_not_written(tmp_path: Path) -> None:
    probe = Probe(sensors(iaq=Iaq()), tmp_path)
    probe.read()
    probe.keep()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said_and_costs_no_reading(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    probe = Probe(sensors(iaq=Iaq(warmup=0, save_interval=0.001)), occupied)
    probe.read()
    assert isinstance(probe.read(), Climate)
    assert probe.unsaved is not None
    assert "state_dir" in probe.unsaved
