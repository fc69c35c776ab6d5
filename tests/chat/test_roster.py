"""People come, look away, and go; each with several tabs."""

from functools import partial

from bus.messages import Heartbeat, Viewer
from chat.bucket import Buckets
from chat.roster import SESSIONS, Roster
from chat.settings import Chat
from conftest import Broker, Start, wait_until

from .people import Join

UNIX = 1_700_000_000.0


class At:
    """A roster whose clocks are set by hand."""

    def __init__(self) -> None:
        self.roster = Roster(Chat())

    def beat(self, name: str, now: float, session: str = "tab", **about: object) -> None:
        beat = Heartbeat.model_validate({"name": name, "session": session, **about})
        self.roster.hear(beat, now, UNIX + now)

    def look(self, now: float) -> dict[str, str]:
        self.roster.age(now, UNIX + now)
        return {viewer.name: viewer.state for viewer in self.roster.viewers()}


def test_viewing_then_away_then_gone() -> None:
    at = At()
    at.beat("ann", 0)
    assert [at.look(now) for now in (0, 59, 61, 119)] == [
        {"ann": "viewing"}, {"ann": "viewing"}, {"ann": "away"}, {"ann": "away"},
    ]  # fmt: skip
    assert at.roster.viewers()[0].since == UNIX + 61
    assert at.look(121) == {}


def test_a_hidden_page_is_away_as_long_as_it_beats() -> None:
    at = At()
    for now in range(0, 600, 30):
        at.beat("ann", now, state="away")
    assert at.look(600) == {"ann": "away"}


def test_several_tabs_are_one_entry_until_the_last_one_leaves() -> None:
    at = At()
    at.beat("ann", 0, "one")
    at.beat("ann", 0, "two", state="away")
    assert at.look(0) == {"ann": "viewing"}
    at.beat("ann", 1, "one", left=True)
    assert at.look(1) == {"ann": "away"}
    at.beat("ann", 2, "two", left=True)
    assert at.look(2) == {}


def test_a_beacon_of_somebody_unknown_makes_nobody() -> None:
    at = At()
    at.beat("ann", 0, left=True)
    assert at.look(0) == {}


def test_sessions_and_people_are_bounded() -> None:
    at = At()
    for number in range(3 * SESSIONS):
        at.beat("ann", number, str(number))
    for number in reversed(range(2 * SESSIONS, 3 * SESSIONS)):
        assert at.look(60) == {"ann": "viewing"}
        at.beat("ann", 60, str(number), left=True)
    assert at.look(60) == {}
    for number in range(6000):
        at.beat(str(number), 61)
    assert len(at.look(61)) == 5000


def test_who_was_there_before_a_restart_has_one_heartbeat_to_say_so() -> None:
    at = At()
    seen = UNIX + 990
    at.roster.trust(
        [
            Viewer(name="ann", state="viewing", since=UNIX, seen=seen),
            Viewer(name="bob", state="viewing", since=UNIX, seen=seen),
            Viewer(name="old", state="away", since=UNIX, seen=UNIX + 800),
        ],
        1000,
        UNIX + 1000,
    )
    at.beat("ann", 1010)
    assert at.look(1029) == {"ann": "viewing", "bob": "viewing"}
    assert at.roster.viewers()[0].since == UNIX
    assert at.look(1031) == {"ann": "viewing"}


def test_the_bucket_says_how_long_to_wait() -> None:
    buckets = Buckets(burst=2, rate=0.5)
    assert [buckets.take("ann", 0), buckets.take("ann", 0)] == [0, 0]
    assert buckets.take("ann", 0) == 2
    assert buckets.take("ann", 1) == 1
    assert buckets.take("bob", 1) == 0
    assert buckets.take("ann", 2) == 0
    buckets.give_back("ann")
    assert buckets.take("ann", 2) == 0


async def test_the_roster_is_retained_and_outlives_chat(start: Start, join: Join) -> None:
    people = await join()
    chat = start("chat", BEEPER_CHAT__PAUSE="0.05", BEEPER_CHAT__HEARTBEAT="1")
    await people.until(lambda: people.viewers is not None, "chat is there")
    await people.beat("ann")
    await people.beat("bob", state="away")
    both = {"ann": "viewing", "bob": "away"}
    await people.until(lambda: people.states() == both, "both are there")
    late = await join("late")
    await late.until(lambda: late.states() == both, "it is retained")
    chat.kill()
    people.viewers = None
    start("chat", BEEPER_CHAT__PAUSE="0.05", BEEPER_CHAT__HEARTBEAT="1")
    await people.until(lambda: people.states() == both, "the new one goes on from there")
    await people.beat("bob")
    await people.until(lambda: people.states() == {"bob": "viewing"}, "who is silent is gone")
    await people.beat("bob", left=True)
    await people.until(lambda: people.states() == {}, "everybody has left")


async def test_rubbish_on_the_topics_is_survived(broker: Broker, start: Start, join: Join) -> None:
    people = await join()
    for topic in ("beeper/viewers", "beeper/chat/history", "beeper/chat/send"):
        await people.throw(topic, b'{"viewers": [{"name": "<x>"')
    await people.throw("beeper/viewers/heartbeat", b'{"session": "a", "name": "eve"}')
    chat = start("chat", BEEPER_CHAT__PAUSE="0.05", BEEPER_CHAT__REPEAT="0.2")
    await people.until(lambda: people.viewers and people.history, "chat says its own states")
    await people.beat("\u202e\x00")
    await people.beat("\u202enna")
    await people.until(lambda: people.states() == {"nna": "viewing"}, "a name is cleaned")
    for topic in ("beeper/viewers", "beeper/chat/history"):
        await people.throw(topic, b"[]")
    late = await join("late")
    await late.until(lambda: late.viewers and late.history, "states are said again")
    assert chat.process.poll() is None


async def test_a_roster_that_is_too_long_is_cut_and_counted(start: Start, join: Join) -> None:
    people = await join()
    start("chat", BEEPER_CHAT__PAUSE="0.05")
    await people.until(lambda: people.viewers is not None, "chat is there")
    # What the broker keeps for whoever is slow is bounded, so what was counted sets the pace.
    for hundreds in range(0, 1500, 500):
        for number in range(hundreds, hundreds + 500):
            await people.beat(f"{number:04d}{'€' * 60}")
        await people.until(partial(people.counts, hundreds + 500), "these are counted")
    assert 500 < len(people.states()) < 1500


def test_it_starts_without_a_broker_and_ends_when_told(broker: Broker, start: Start) -> None:
    broker.stop()
    chat = start("chat")
    wait_until(lambda: "no broker" in chat.log(), "it looks for the broker")
    assert chat.terminate() == 0
