"""What was learned survives a restart, as far as it still holds."""

import json
import logging
from pathlib import Path

import pytest
from bus import wall_clock
from sensors import baseline
from sensors.air import Known
from sensors.baseline import load, save
from sensors.settings import Iaq

IAQ = Iaq()
LEARNED = Known(baseline=123_456.7, warm=5000, learned=100_000)
NOW = 1_800_000_000.0
YEAR = 365 * 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "not yet there" / "baseline.json"


class Up:
    """Seconds since boot, as a test wants them."""

    now = 1000.0


@pytest.fixture(autouse=True)
def up(monkeypatch: pytest.MonkeyPatch) -> Up:
    up = Up()
    monkeypatch.setattr(baseline, "boottime", lambda: up.now)
    return up


@pytest.mark.parametrize("jump", [0, 3 * YEAR, -3600, -NOW + 100])
def test_a_quick_restart_goes_on_where_it_was_whatever_the_wall_clock_says(
    path: Path, up: Up, jump: float
) -> None:
    save(path, "chip", NOW, LEARNED)
    up.now += IAQ.pause
    assert load(path, "chip", NOW + jump + IAQ.pause, IAQ) == LEARNED
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_longer_pause_keeps_the_baseline_and_warms_up_again(path: Path, up: Up) -> None:
    save(path, "chip", NOW, LEARNED)
    cold = Known(LEARNED.baseline, 0, LEARNED.learned)
    up.now += 3600
    assert load(path, "chip", NOW + 3600, IAQ) == cold
    assert load(path, "chip", NOW, IAQ) == cold, "the clock was set back"


def test_a_new_boot_warms_up_again_whatever_the_clock_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Pi that had no power for hours goes on at the time at which it lost it."""
    cold = Known(LEARNED.baseline, 0, LEARNED.learned)
    save(path, "chip", NOW, LEARNED)
    monkeypatch.setattr(baseline, "BOOT_ID", tmp_path / "boot")
    assert load(path, "chip", NOW + 1, IAQ) == cold, "nobody says which boot this is"
    (tmp_path / "boot").write_text("another\n")
    assert load(path, "chip", NOW + 1, IAQ) == cold
    save(path, "chip", NOW, LEARNED)
    assert load(path, "chip", NOW + 1, IAQ) == LEARNED


def test_a_file_of_old_that_knows_no_boot_keeps_its_baseline(path: Path) -> None:
    save(path, "chip", NOW, LEARNED)
    content = json.loads(path.read_text())
    del content["boot"]
    path.write_text(json.dumps(content))
    assert load(path, "chip", NOW + 1, IAQ) == Known(LEARNED.baseline, 0, LEARNED.learned)


def test_an_old_baseline_and_that_of_another_sensor_are_not_used(path: Path, up: Up) -> None:
    save(path, "chip", NOW, LEARNED)
    assert load(path, "simulated", NOW, IAQ) == Known()
    save(path, "chip", NOW, LEARNED)
    up.now += IAQ.max_age + 1
    assert load(path, "chip", NOW, IAQ) == Known()
    assert path.with_suffix(".old").exists() and not path.exists(), "nothing is thrown away"


def test_after_a_boot_a_clock_that_is_not_known_makes_nothing_too_old(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, "chip", NOW, LEARNED)
    (tmp_path / "boot").write_text("another\n")
    monkeypatch.setattr(baseline, "BOOT_ID", tmp_path / "boot")
    monkeypatch.setattr(wall_clock.CLOCK, "state", "unset")
    cold = Known(LEARNED.baseline, 0, LEARNED.learned)
    assert load(path, "chip", NOW + 3 * YEAR, IAQ) == cold
    save(path, "chip", 100.0, LEARNED)
    monkeypatch.setattr(wall_clock.CLOCK, "state", "known")
    (tmp_path / "boot").write_text("a third\n")
    assert load(path, "chip", NOW, IAQ) == cold, "it was written when the time was not known"
    save(path, "chip", NOW, LEARNED)
    (tmp_path / "boot").write_text("a fourth\n")
    assert load(path, "chip", NOW + 3 * YEAR, IAQ) == Known()


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0", b"[]", b'{"source": "chip"}', b'{"baseline": NaN}', b"\xff\xfe" * 99],
)
def test_a_damaged_file_is_said_and_learned_anew(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    save(path, "chip", NOW, LEARNED)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert load(path, "chip", NOW, IAQ) == Known()
    assert len(caplog.records) == 1
    assert "damaged" in caplog.text
    save(path, "chip", NOW, LEARNED)
    assert load(path, "chip", NOW, IAQ) == LEARNED


def test_without_a_file_nothing_is_known_and_nothing_said(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(path, "chip", NOW, IAQ) == Known()
    assert not caplog.records


def test_a_write_that_fails_leaves_the_old_file(path: Path) -> None:
    save(path, "chip", NOW, LEARNED)
    path.with_suffix(".new").mkdir()
    with pytest.raises(OSError, match="directory"):
        save(path, "chip", NOW + 1, Known(1, 1, 1))
    assert load(path, "chip", NOW, IAQ) == LEARNED
