"""When the wall clock is believed, and what the station counts meanwhile."""

import os
from pathlib import Path

import pytest
from bus import wall_clock
from bus.jump import day, distance
from bus.kernel_clock import kept_by_rtc, timesyncd_was_here
from bus.settings import Clock
from bus.wall_clock import EARLIEST, WallClock

DAY = 86_400.0
NOW = EARLIEST + 300 * DAY


def state_of(clock: WallClock) -> str:
    """Anew, whatever it was before."""
    return clock.state


class Machine:
    """A machine whose clocks stand still until they are told."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boot, self.wall, self.name = 5.0, NOW, "one"
        self.kernel = folder / "kernel"
        self.file = folder / "clock.json"
        self.say("unsynchronised")
        monkeypatch.setattr(wall_clock, "boottime", lambda: self.boot)
        monkeypatch.setattr(wall_clock, "boot_id", lambda: self.name)
        monkeypatch.setattr("time.time", lambda: self.wall)

    def say(self, word: str) -> None:
        self.kernel.write_text(word)

    def start(self, **settings: float | bool) -> WallClock:
        clock = WallClock()
        config = Clock.model_validate({"kernel": self.kernel, **settings})
        clock.begin(config, self.file, keeps=True)
        return clock

    def reboot(self, wall: float) -> None:
        self.boot, self.wall, self.name = 5.0, wall, self.name + "x"

    def run(self, clock: WallClock, seconds: int) -> None:
        for _ in range(seconds):
            self.boot += 1
            self.wall += 1
            clock.sample()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_synchronised_clock_is_known_at_once(machine: Machine) -> None:
    machine.say("synchronised")
    clock = machine.start()
    assert clock.state == "known" and clock.now() == NOW
    assert clock.problem() is None and clock.mark(NOW) is None and clock.announcement() is None


def test_1970_is_never_believed_not_even_of_the_kernel_or_the_owner(machine: Machine) -> None:
    machine.wall = 100.0
    machine.say("synchronised")
    clock = machine.start(trusted=True)
    machine.run(clock, 1000)
    assert clock.state == "unset" and not clock.may_expire()
    assert "not set yet: it said 1970-01-01 00:01 UTC" in str(clock.problem())
    mark = clock.mark(clock.now() - 3)
    assert mark and (mark.boot, mark.state) == ("one", "unset")
    assert mark.boottime == pytest.approx(machine.boot - 3)


def test_a_time_server_sets_it_and_what_was_marked_can_be_placed(machine: Machine) -> None:
    machine.wall = 100.0
    clock = machine.start()
    machine.run(clock, 30)
    assert clock.mark(clock.now())
    machine.say("synchronised")
    machine.wall = NOW
    clock.sample()
    assert clock.state == "known" and clock.problem() is None and clock.mark(NOW) is None
    said = clock.announcement()
    assert said and said.state == "known" and said.boottime == machine.boot


def test_without_a_time_server_ten_minutes_make_it_unconfirmed(machine: Machine) -> None:
    clock = machine.start()
    machine.run(clock, 590)
    assert state_of(clock) == "unset"
    machine.run(clock, 10)
    assert state_of(clock) == "unconfirmed" and clock.problem() is None and clock.may_expire()
    mark = clock.mark(clock.now())
    assert mark and mark.state == "unconfirmed"
    machine.say("synchronised")
    clock.sample()
    assert clock.state == "known" and clock.announcement()


@pytest.mark.parametrize("ahead", [40 * DAY, 1095 * DAY])
def test_a_start_far_ahead_is_not_believed_of_the_clock_alone(
    machine: Machine, ahead: float
) -> None:
    clock = machine.start()
    clock.saw(NOW - ahead, NOW - ahead)
    machine.run(clock, 2000)
    assert clock.state == "unset" and not clock.may_expire()
    assert f"{distance(ahead)} from the newest stored time" in str(clock.problem())
    assert clock.least() < max(EARLIEST, NOW - ahead) + 3000


def test_a_station_that_was_off_for_three_years_expires_an_hour_later(machine: Machine) -> None:
    machine.say("synchronised")
    clock = machine.start()
    clock.saw(NOW - 1095 * DAY, NOW - 1095 * DAY)
    assert clock.state == "known" and not clock.may_expire()
    machine.run(clock, 3599)
    assert not clock.may_expire()
    machine.run(clock, 1)
    assert clock.may_expire()


@pytest.mark.parametrize("by", [-3600.0, 3600.0, 40 * DAY, -40 * DAY, 1095 * DAY])
def test_a_jump_is_said_and_not_followed_back_and_forth(machine: Machine, by: float) -> None:
    machine.say("synchronised")
    clock = machine.start()
    machine.run(clock, 100)
    for _ in range(5):
        machine.wall += by
        assert clock.now() == pytest.approx(NOW + machine.boot - 5), "at once, unasked"
        machine.run(clock, 50)
        assert f"the clock jumped by {distance(by)}" in str(clock.problem())
        assert clock.state == "known" and clock.mark(clock.now()) is None
        assert clock.now() == pytest.approx(NOW + machine.boot - 5) and not clock.may_expire()
        machine.wall -= by
        machine.run(clock, 50)
        assert clock.problem() is None and clock.may_expire()
    assert clock.now() == pytest.approx(NOW + machine.boot - 5) == machine.wall


def test_a_jump_that_the_time_server_confirms_is_followed_after_a_minute(machine: Machine) -> None:
    machine.say("synchronised")
    clock = machine.start()
    machine.wall += 1095 * DAY
    machine.run(clock, 61)
    assert clock.now() == machine.wall and not clock.may_expire()
    assert "the clock jumped by +3 years: it is " in str(clock.problem())
    machine.run(clock, 700)
    assert clock.problem() is None


def test_a_jump_that_nobody_confirms_is_never_followed_once_the_time_was_known(
    machine: Machine,
) -> None:
    machine.say("synchronised")
    clock = machine.start()
    machine.say("unsynchronised")
    machine.wall -= 3600
    machine.run(clock, 5000)
    assert clock.now() == pytest.approx(NOW + 5000)
    again = machine.start()
    machine.run(again, 10)
    assert again.now() == pytest.approx(NOW + 5010), "after a restart of the service too"
    assert again.state == "known" and "jumped by −1 h" in str(again.problem())


def test_the_owner_may_set_it_by_hand_which_counts_after_ten_minutes(machine: Machine) -> None:
    clock = machine.start(trusted=True)
    assert clock.state == "known"
    machine.wall += 7200
    machine.run(clock, 599)
    assert clock.now() != machine.wall
    machine.run(clock, 2)
    assert clock.now() == machine.wall


def test_slewing_is_followed_however_far_it_goes(machine: Machine) -> None:
    machine.say("synchronised")
    clock = machine.start()
    for _ in range(600):
        machine.wall -= 0.08
        machine.run(clock, 1)
        assert clock.now() == machine.wall and clock.problem() is None


def test_a_new_boot_before_the_newest_known_time_waits(machine: Machine) -> None:
    machine.say("synchronised")
    machine.start().close()
    machine.say("unsynchronised")
    machine.reboot(NOW - 3600)
    clock = machine.start()
    machine.run(clock, 1000)
    assert state_of(clock) == "unset"
    assert "before the newest stored time" in str(clock.problem())
    assert clock.least() >= NOW, "what had expired stays so"
    machine.run(clock, 3600)
    assert state_of(clock) == "unconfirmed"


def test_a_file_of_rubbish_is_said_and_survived(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.say("synchronised")
    for rubbish in ("", "{}", "[1]", "\0", '{"boot": 1}', "[" * 10_000):
        machine.file.write_text(rubbish)
        caplog.clear()
        assert machine.start().state == "known"
        assert "clock.json cannot be used" in caplog.text


@pytest.mark.parametrize(
    ("since_epoch", "voltage", "kept"),
    [
        (NOW, None, True),
        (NOW - 50, "3000000", True),
        (100.0, None, False),
        (NOW - 90, None, False),
        (NOW, "120000", False),
    ],
)
def test_a_real_time_clock_counts_that_kept_the_time(
    tmp_path: Path, since_epoch: float, voltage: str | None, kept: bool
) -> None:
    assert not kept_by_rtc(NOW, tmp_path)
    device = tmp_path / "rtc0"
    device.mkdir()
    (device / "since_epoch").write_text(f"{since_epoch:.0f}\n")
    if voltage:
        (device / "battery_voltage").write_text(f"{voltage}\n")
    assert kept_by_rtc(NOW, tmp_path) is kept


def test_timesyncd_counts_while_it_sets_the_clock(tmp_path: Path) -> None:
    mark = tmp_path / "synchronized"
    assert not timesyncd_was_here(NOW, mark)
    mark.touch()
    os.utime(mark, (NOW, NOW))
    assert timesyncd_was_here(NOW, mark) and timesyncd_was_here(NOW + 4000, mark)
    for jump in (-3600, 7200, 1095 * DAY):
        assert not timesyncd_was_here(NOW + jump, mark)


def test_words() -> None:
    assert distance(1095 * DAY) == "+3 years"
    assert [distance(s) for s in (-3600, 40 * DAY, 90, 5400, DAY)] == [
        *("−1 h", "+40 days", "+1.5 min", "+1.5 h", "+1 day")
    ]
    assert day(0) == "1970-01-01 00:00 UTC" and "Unix time" in day(1e20)
