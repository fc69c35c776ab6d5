"""Wrong clocks: nothing is deleted or refused for one, and nothing stands at a wrong time."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from bus import sqlite_file, wall_clock
from bus.kernel_clock import boot_id, boottime
from bus.messages import AudioLevel, BootTime, ClockState
from bus.points import point
from bus.topics import AUDIO
from conftest import Service
from faketime import FakeTime
from history import retention
from history.settings import History
from history.store import Heard, Store

from .past import Past, until

YEARS, DAY = 1095 * 86_400.0, 86_400.0
READINGS = 4300


def level(timestamp: float, value: float = 1) -> AudioLevel:
    return AudioLevel(timestamp=timestamp, level_db=value, level_dbfs=-50, peak_dbfs=-40)


def fill(folder: Path, end: float, count: int = READINGS, every: float = 60) -> None:
    """A file with readings up to a time, and their means."""
    folder.mkdir(exist_ok=True)
    store = Store(folder, 10)
    store.open()
    moments = [end - every * n for n in range(count)]
    store.add(Heard(point(AUDIO, {}, level(at)), every) for at in moments)
    store.flush()
    retention.roll(store, round(end * 1000))
    store.close()


def rows(folder: Path, table: str = "audio_level", where: str = "1") -> int:
    """How many rows another process finds in the file."""
    with contextlib.closing(sqlite3.connect(folder / "history.sqlite")) as database:
        if not sqlite_file.columns(database, table):
            return 0
        return int(database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])  # noqa: S608


def moments(folder: Path) -> list[float]:
    """The times (Unix s) at which levels stand that have one."""
    with contextlib.closing(sqlite3.connect(folder / "history.sqlite")) as database:
        found = database.execute(
            "SELECT moment / 1000.0 FROM audio_level JOIN series ON series.id = series "
            "WHERE tags NOT LIKE '%\"boot\"%' ORDER BY moment"
        )
        return [row[0] for row in found]


def logged(service: Service, text: str) -> Callable[[], Awaitable[bool]]:
    async def is_there() -> bool:
        return text in service.log()

    return is_there


async def itself(past: Past, folder: Path) -> None:
    """Wait until the service hears, and so itself."""

    async def there() -> bool:
        return await asyncio.to_thread(rows, folder, "service_status") > 0

    await until(there, "it hears itself")


async def written(past: Past, folder: Path, count: int) -> None:
    async def there() -> bool:
        return await asyncio.to_thread(rows, folder) >= count

    await until(there, f"{count} rows are on the disk")


@pytest.mark.parametrize("offset", ["+1095d", "+40d"])
@pytest.mark.parametrize("synchronised", [False, True])
async def test_a_clock_in_the_future_at_one_start_deletes_nothing(
    past: Past, tmp_path: Path, offset: str, synchronised: bool
) -> None:
    now, state = time.time(), tmp_path / "state"
    await asyncio.to_thread(fill, state, now)
    means = rows(state, "audio_level_windows")
    fake = FakeTime(tmp_path, offset)
    fake.synchronise(synchronised)
    begun = past._start(
        "history", **fake.variables, BEEPER_HISTORY__TIDY="0.2", BEEPER_HISTORY__FLUSH="0.1"
    )
    await until(logged(begun, "from the newest stored time"), "the log says what is wrong")
    await itself(past, state)
    await past.hum(7, now + 1)
    await written(past, state, READINGS + 1)
    assert begun.terminate() == 0
    assert rows(state, where=f"moment <= {now * 1000 + 1}") >= READINGS
    assert rows(state, "audio_level_windows") >= means


async def test_a_station_that_was_off_for_years_forgets_after_all_and_says_so(
    past: Past, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    await asyncio.to_thread(fill, state, time.time() - YEARS)
    fake = FakeTime(tmp_path)
    fake.synchronise(True)
    settle = {"BEEPER_CLOCK__SETTLE_EXPIRY": "2", "BEEPER_HISTORY__TIDY": "0.2"}
    service = past._start("history", **fake.variables, **settle, BEEPER_HISTORY__FLUSH="0.1")

    async def gone() -> bool:
        return await asyncio.to_thread(rows, state, "audio_level") == 0

    await until(gone, "all readings are gone")
    assert service.log().count("readings of") >= 3, "a day of them at once"
    assert "older than history.days = 30" in service.log()
    assert "nothing is deleted for its age until the clock has been steady" in service.log()


async def test_from_1970_on_readings_wait_and_get_their_time(past: Past, tmp_path: Path) -> None:
    fake, state = FakeTime(tmp_path, "@1970-01-01 00:02:00"), tmp_path / "state"
    service = past._start("history", **fake.variables, BEEPER_HISTORY__FLUSH="0.1")
    await itself(past, state)
    began = time.time()
    for n in range(5):
        since = BootTime(boot=boot_id(), boottime=boottime() - 5 + n, state="unset")
        await past.hum(n, 100.0 + n, boot_time=since)
    await written(past, state, 5)
    assert moments(state) == []
    assert "not set yet: it said 1970-01-01" in past.status_of("clock")
    assert service.terminate() == 0
    fake.set("+0")
    fake.synchronise(True)
    again = past._start("history", **fake.variables, BEEPER_HISTORY__FLUSH="0.1")

    async def placed() -> bool:
        return len(await asyncio.to_thread(moments, state)) == 5

    await until(placed, "they have their time")
    assert moments(state) == pytest.approx([began - 5 + n for n in range(5)], abs=1)
    assert "5 readings got their time" in again.log()


async def test_jumps_while_it_runs_leave_every_reading_at_its_time(
    past: Past, tmp_path: Path
) -> None:
    fake, state = FakeTime(tmp_path), tmp_path / "state"
    fake.synchronise(True)
    service = past._start("history", **fake.variables, BEEPER_HISTORY__FLUSH="0.1")
    await until(past.hears, "history answers")
    fake.synchronise(False)
    expected = []
    for n, offset in enumerate(["+1095d", "-1h", "+40d", "+0", "@1970-01-01 00:02:00"]):
        fake.set(offset)
        expected.append(time.time())
        await past.hum(n, expected[-1])
        await written(past, state, n + 1)
        if offset != "+0":
            await until(logged(service, "the clock jumped by"), "it is said")
    assert moments(state) == pytest.approx(expected, abs=0.01)
    assert "the clock jumped by +3 years" in service.log()
    fake.set("+0")

    async def well() -> bool:
        return past.status_of("clock") == ""

    await until(well, "it is well again")
    assert service.terminate() == 0
    assert all(abs(at - time.time()) < 600 for at in moments(state))


async def test_a_boot_that_ended_without_a_time_stays_marked_and_is_not_shown(
    past: Past, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    await past.begin(flush="0.1")
    lost = BootTime(boot="another", boottime=50.0, state="unset")
    await past.hum(3, 100.0, boot_time=lost)
    await written(past, state, 1)
    assert moments(state) == []
    assert (await past.ask(0, time.time() + 10)).mean == []
    known = {"boot": "another", "boottime": 80.0, "state": "known"}
    now = time.time()
    status = past.status
    assert status
    await past.vouch(status, now, BootTime.model_validate(known))

    async def placed() -> bool:
        return len(await asyncio.to_thread(moments, state)) == 1

    await until(placed, "its offset was heard of")
    assert moments(state) == pytest.approx([now - 30], abs=0.01)


class Settable(wall_clock.WallClock):
    """A clock that says what a test wants."""

    def __init__(self, now: float, state: ClockState, expire: bool = True) -> None:
        super().__init__()
        self.state, self._time, self._expire = state, now, expire

    def now(self) -> float:
        return self._time

    def may_expire(self) -> bool:
        return self._expire


@pytest.fixture
def store(tmp_path: Path) -> Store:
    fill(tmp_path, 1_790_000_000.0, 3000, 600)
    store = Store(tmp_path, 10)
    store.open()
    return store


@pytest.mark.parametrize("state", ["unset", "known"])
def test_a_clock_that_may_not_expire_anything_does_not(
    store: Store, state: ClockState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_clock, "CLOCK", Settable(1_790_000_000 + YEARS, state, expire=False))
    retention.tidy(store, History())
    assert rows(store.path.parent) == 3000
    store.close()


def test_a_run_forgets_a_day_at_most(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_clock, "CLOCK", Settable(1_790_000_000 + YEARS, "known"))
    left = [3000]
    while left[-1]:
        retention.tidy(store, History(long_days=36_500))
        left.append(rows(store.path.parent))
        assert 0 < left[-2] - left[-1] <= 144 + 1
    assert rows(store.path.parent, "audio_level_windows") == 3000
    store.close()


def test_what_nobody_vouched_for_is_shown_and_moved_when_the_time_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path, 10)
    store.open()
    wrong = 1_790_000_000.0
    clock = Settable(wrong, "unconfirmed")
    monkeypatch.setattr(wall_clock, "CLOCK", clock)
    began = boottime()
    for n in range(3):
        since = BootTime(boot=boot_id(), boottime=began + n, state="unconfirmed")
        said = level(wrong + n, n).model_copy(update={"boot_time": since})
        store.add([Heard(point(AUDIO, {}, said), 1, since)])
    store.flush()
    retention.roll(store, round((wrong + 900) * 1000))
    from history import placing

    placing.settle(store)
    assert moments(tmp_path) == pytest.approx([wrong, wrong + 1, wrong + 2], abs=0.1)
    store.close()
    store.open()
    right = wrong + 1.5
    clock.state, clock._time = "known", right + boottime() - began
    clock._time -= 3600
    placing.settle(store)
    assert moments(tmp_path) == pytest.approx([right - 3600 + n for n in range(3)], abs=0.1)
    retention.roll(store, round((wrong + 900) * 1000))
    assert rows(tmp_path, "audio_level_windows") == 1
    assert not store.boots.spans
    store.close()


@pytest.mark.parametrize("begin", [1_774_746_000 - 7200, 1_792_890_000 - 7200])
def test_the_change_of_summer_time_is_no_gap_and_no_overlap(
    tmp_path: Path, begin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Berlin, 29 March and 25 October 2026, at 01:00 UTC."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        fill(tmp_path, begin + 14_400.0, 241, 60)
        store = Store(tmp_path, 10)
        store.open()
        from history.metric import read
        from history.sqlite import query

        series = query(store, read("audio/level:level_db", "home"), begin, begin + 14_401, 48)
        store.close()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert series.step == 600 and None not in series.mean
    steps = {round(b - a) for a, b in zip(series.timestamps, series.timestamps[1:], strict=False)}
    assert len(series.mean) == 25 and max(steps) <= 600


def test_a_file_of_the_last_version_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    store.open()
    store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "history.sqlite")) as database:
        for table in ("boots", "unconfirmed"):
            database.execute(f"DROP TABLE {table}")
    store.open()
    assert store.boots.offsets == {} and store.ends() == (0, 0)
    store.close()
