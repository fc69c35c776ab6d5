"""Sign-ins while the clock jumps: nobody is signed out, nothing expired comes back."""

from functools import partial
from pathlib import Path

import jwt
import pytest
from bus import wall_clock
from bus.kernel_clock import boot_id
from bus.messages import AudioLevel, BootTime, ClockState
from conftest import Start, wait_until
from faketime import FakeTime
from team import KeyServer, token
from web import expiry, readings
from web.readings import Reading, Readings, age, as_of_arrival, message_text
from web.session import AUDIENCE, NAME, Session, Sessions
from web_station import Web

DAY = 86_400.0
NOW = 1_800_000_000.0


class Settable(wall_clock.WallClock):
    """A machine that runs: boot seconds, and a wall clock that is `ahead` of the truth."""

    up = 1000.0
    ahead = 0.0

    def now(self) -> float:
        return NOW + self.up + self.ahead

    def offset(self) -> float:
        return NOW + self.ahead

    def least(self) -> float:
        return self.now() if self.state != "unset" else NOW + self.up

    def problem(self) -> str | None:
        return "this station's clock is wrong" if self.ahead else None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Settable:
    clock = Settable()
    monkeypatch.setattr(wall_clock, "CLOCK", clock)
    monkeypatch.setattr(expiry, "boottime", lambda: clock.up)
    monkeypatch.setattr(readings, "boottime", lambda: clock.up)
    return clock


def signed_in(sessions: Sessions, seconds: float) -> str:
    cookie = sessions.cookie(Session("ann", expiry.now() + seconds, "mark"), secure=False)
    return cookie.split("; ")[0].removeprefix(f"{NAME}=")


@pytest.mark.parametrize("ahead", [1095 * DAY, 40 * DAY, 3600, -3600, -NOW + 100])
@pytest.mark.parametrize("state", ["known", "unset"])
def test_within_a_boot_no_jump_matters(
    clock: Settable, tmp_path: Path, ahead: float, state: ClockState
) -> None:
    sessions = Sessions(tmp_path / "key")
    shown = signed_in(sessions, 7 * DAY)
    clock.ahead, clock.state = ahead, state
    found = sessions.read(shown)
    assert found and found.expires - expiry.now() == pytest.approx(7 * DAY)
    clock.up += 7 * DAY + 1
    assert sessions.read(shown) is None
    clock.ahead = -365 * DAY
    assert sessions.read(shown) is None, "it does not come back"


def test_over_a_boot_the_least_time_counts(
    clock: Settable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = Sessions(tmp_path / "key")
    shown = signed_in(sessions, DAY)
    monkeypatch.setattr(expiry, "boot_id", lambda: "another")
    clock.ahead, clock.state = 1095 * DAY, "unset"
    assert sessions.read(shown)
    clock.up += 2 * DAY
    clock.ahead = -40 * DAY
    assert sessions.read(shown) is None


def test_a_cookie_of_the_last_version_still_counts(clock: Settable, tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "key")
    signed_in(sessions, DAY)
    old = {"sub": "ann", "exp": expiry.now() + DAY, "pwd": "mark", "aud": AUDIENCE}
    key = (tmp_path / "key").read_bytes()
    assert sessions.read(jwt.encode(old, key, "HS256"))
    assert not sessions.read(jwt.encode(old | {"exp": expiry.now() - 1}, key, "HS256"))
    assert not sessions.read(jwt.encode(old | {"exp": "never"}, key, "HS256"))


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({"exp": NOW}, "it has expired"),
        ({"iat": NOW + 9000}, "it is not valid yet"),
        ({"nbf": NOW + 9000}, "it is not valid yet"),
        ({"exp": float("nan")}, "no numbers"),
        ({"exp": float("inf")}, "no numbers"),
        ({"nbf": "soon"}, "no numbers"),
    ],
)
def test_a_token_of_access_is_held_against_the_stations_clock(
    clock: Settable, times: dict[str, object], why: str
) -> None:
    good = {"exp": NOW + 1600, "iat": NOW + 900, "nbf": NOW + 900}
    expiry.check(good, 10)
    with pytest.raises(jwt.InvalidTokenError, match=why):
        expiry.check(good | times, 10)
    clock.ahead = 1095 * DAY
    with pytest.raises(jwt.InvalidTokenError, match="this station's clock is wrong"):
        expiry.check(good, 10)


@pytest.mark.parametrize("by", [1095 * DAY, -3600.0, 3600.0])
def test_what_was_heard_before_the_clock_was_set_keeps_its_age(clock: Settable, by: float) -> None:
    known = Readings.__new__(Readings)
    known.latest = {}
    for name, stamp in (("old", clock.now() - 4), ("new", clock.now() + by - 2)):
        level = AudioLevel(timestamp=stamp, level_db=1, level_dbfs=-50, peak_dbfs=-40)
        known.latest[name] = Reading(level, message_text(name, level), clock.up)
    clock.ahead += by
    known.shift(by)
    ages = {}
    for name, reading in known.latest.items():
        assert isinstance(reading.message, AudioLevel)
        ages[name] = age(reading.message)
        assert str(reading.message.timestamp) in reading.text
    assert ages == pytest.approx({"old": 4, "new": 2}, abs=0.01)


def test_a_station_without_a_time_is_heard_when_it_is_heard(clock: Settable) -> None:
    level = AudioLevel(timestamp=100, level_db=1, level_dbfs=-50, peak_dbfs=-40)
    there = BootTime(boot="another", boottime=100, state="unset")
    assert as_of_arrival(level) == level
    heard = as_of_arrival(level.model_copy(update={"boot_time": there}))
    assert (heard.timestamp, age(heard)) == (clock.now(), 0)
    here = there.model_copy(update={"boot": boot_id()})
    at_home = level.model_copy(update={"boot_time": here})
    assert as_of_arrival(at_home) == at_home


def test_a_real_web_says_that_its_clock_is_wrong(start: Start, tmp_path: Path) -> None:
    team = KeyServer()
    team.start()
    fake = FakeTime(tmp_path, "@1970-01-01 00:02:00")
    try:
        web = Web(partial(start, **fake.variables), **team.settings())
        asked = {"Cf_Access_Jwt_Assertion": token(), "Cf_Connecting_Ip": "203.0.113.9"}
        refused = web.get("/api/me", **asked)
        assert refused.status == 403
        words = refused.json()["detail"]
        assert "it is not valid yet" in words and "clock is not set yet: it said 1970" in words
        fake.synchronise(True)
        fake.set("+0")
        wait_until(lambda: "the clock is set" in web.service.log(), "it is set")
        assert web.get("/api/me", **asked).status == 200
        fake.set("+1095d")
        assert web.get("/api/me", **asked).status == 200, "a jump refuses nobody"
    finally:
        team.stop()
