"""What is accepted is never lost and never doubled, whoever dies meanwhile."""

import asyncio
import random
import resource
import secrets
import sqlite3
from pathlib import Path

import psutil
from conftest import Broker, Service, Start

from .people import Join

QUICK = {"BEEPER_CHAT__PAUSE": "0.05", "BEEPER_CHAT__BURST": "100"}


async def test_a_message_is_numbered_and_told_to_everybody(start: Start, join: Join) -> None:
    start("chat", **QUICK)
    people = await (await join()).ready()
    first, second = await people.say(" hello\x07 "), await people.say("you", "bob")
    assert first.accepted and first.said and second.said
    assert (first.said.message, first.said.username) == ("hello", "ann")
    assert second.said.number > first.said.number
    await people.until(lambda: people.texts() == ["hello", "you"], "both are in the history")
    assert people.messages == [first.said, second.said]


async def test_a_repeat_gets_the_same_answer(start: Start, join: Join) -> None:
    chat = start("chat", **QUICK)
    people = await (await join()).ready()
    one = secrets.token_hex(16)
    answers = await asyncio.gather(*(people.say("once", one=one) for _ in range(20)))
    chat.kill()
    start("chat", **QUICK)
    answers.append(await people.insist("once more, other words", "ann", one))
    assert len({answer.model_dump_json() for answer in answers}) == 1 and answers[0].accepted
    taken = await people.say("mine", "eve", one)
    assert (taken.accepted, taken.refusal, taken.said) == (False, "taken", None)
    await people.until(lambda: people.texts() == ["once"], "it is there once")


async def test_refusals_say_why(start: Start, join: Join) -> None:
    start("chat", BEEPER_CHAT__BURST="2", BEEPER_CHAT__RATE="0.01")
    people = await (await join()).ready()
    refusals = [(await people.say(text)).refusal for text in (" \n", "\u202e", "x" * 501)]
    assert refusals == ["empty", "empty", "too_long"]
    assert (await people.say("é" * 500)).accepted
    again = secrets.token_hex(16)
    assert (await people.say("second", one=again)).accepted
    flood = await people.say("third")
    assert flood.refusal == "too_fast" and flood.wait_seconds and 90 < flood.wait_seconds <= 100
    assert (await people.say("second", one=again)).accepted, "a repeat costs nothing"
    assert (await people.say("hello", "bob")).accepted, "others may speak"
    assert (await people.delete("no-such-message")).refusal == "missing"


async def test_fifty_are_shown_and_a_thousand_known(start: Start, join: Join) -> None:
    start("chat", **QUICK, BEEPER_CHAT__REMEMBERED="100")
    people = await (await join()).ready()
    ids = [secrets.token_hex(16) for _ in range(130)]
    for number, one in enumerate(ids):
        assert (await people.say(str(number), f"p{number % 5}", one)).accepted
    newest = [str(number) for number in range(80, 130)]
    await people.until(lambda: people.texts() == newest, "the last fifty")
    assert (await people.say("40", "p0", ids[40])).said
    assert people.texts() == newest


async def test_a_deleted_message_is_gone_from_the_disk_too(
    start: Start, join: Join, tmp_path: Path
) -> None:
    chat = start("chat", **QUICK)
    people = await (await join()).ready()
    one = secrets.token_hex(16)
    await people.say("a slip of the tongue", one=one)
    await people.say("stays")
    assert (await people.delete(one)).accepted and (await people.delete(one)).accepted
    await people.until(lambda: people.texts() == ["stays"], "it is gone")
    repeat = await people.say("a slip of the tongue", one=one)
    assert repeat.accepted and repeat.said is None
    assert "op deleted message" in chat.log()
    assert chat.terminate() == 0
    files = list((tmp_path / "state").glob("chat.sqlite*"))
    assert files and not any(b"slip of the tongue" in file.read_bytes() for file in files)


async def test_messages_expire_when_that_is_set(start: Start, join: Join) -> None:
    start("chat", **QUICK, BEEPER_CHAT__EXPIRE="0.5")
    people = await (await join()).ready()
    await people.say("soon gone")
    await people.until(lambda: people.texts() == ["soon gone"], "it is there")
    await people.until(lambda: people.texts() == [], "it is gone")


async def test_a_new_station_begins_a_new_conversation(
    start: Start, join: Join, tmp_path: Path
) -> None:
    marker = tmp_path / "run" / "started"
    people = await join()
    said: list[list[str]] = []
    numbers: list[int] = []
    for run, keep in (("one", "false"), ("one", "false"), ("two", "true"), ("three", "false")):
        marker.write_text(run)
        people.history = None
        chat = start("chat", **QUICK, BEEPER_CHAT__KEEP=keep)
        await people.ready()
        said.append(people.texts())
        result = await people.say(run)
        assert result.said
        numbers.append(result.said.number)
        # Heard later, this history would be taken for that of the next run.
        after = [*said[-1], run]
        await people.until(lambda: people.texts() == after, "it is remembered")  # noqa: B023
        assert chat.terminate() == 0
    assert said == [[], ["one"], ["one", "one"], []]
    assert numbers == sorted(set(numbers))


async def test_a_disk_that_takes_nothing_is_said_and_survived(start: Start, join: Join) -> None:
    chat = start("chat", **QUICK)
    people = await (await join()).ready()
    assert (await people.say("before")).accepted
    one = secrets.token_hex(16)
    limits = psutil.Process(chat.process.pid)
    limits.rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    full = await people.say("lost?", one=one)
    assert full.refusal == "unstored" and full.reason and "cannot keep" in full.reason
    assert (await people.say("still")).refusal == "unstored"
    limits.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert (await people.accepted("lost?", "ann", one)).said
    await people.until(lambda: people.texts() == ["before", "lost?"], "all is well")


async def test_a_state_folder_that_is_none_is_said_and_looked_for(
    start: Start, join: Join, tmp_path: Path
) -> None:
    folder = tmp_path / "nowhere"
    folder.write_text("a file")
    chat = start("chat", **QUICK, BEEPER_STATE_DIR=str(folder))
    people = await join()
    await people.until(lambda: people.viewers is not None, "chat is there")
    assert (await people.insist("hello", "ann", secrets.token_hex(16))).refusal == "unstored"
    assert people.history is None, "what is unknown is not said to be empty"
    folder.unlink()
    await people.ready()
    assert (await people.say("hello")).accepted
    assert chat.process.poll() is None


async def test_a_damaged_file_is_put_aside(start: Start, join: Join, tmp_path: Path) -> None:
    file = tmp_path / "state" / "chat.sqlite"
    file.write_bytes(b"this is no database, and it is long enough to look like one" * 100)
    chat = start("chat", **QUICK)
    people = await (await join()).ready()
    assert (await people.say("hello")).accepted
    assert "beginning anew" in chat.log()
    assert list(file.parent.glob("chat.sqlite.broken-*"))


async def test_it_is_synced_at_every_commit(start: Start, join: Join, tmp_path: Path) -> None:
    start("chat", **QUICK)
    people = await (await join()).ready()
    assert (await people.say("hello")).accepted
    with sqlite3.connect(f"file:{tmp_path}/state/chat.sqlite?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("SELECT message FROM messages").fetchall() == [("hello",)]
    database.close()


async def test_no_acknowledged_message_is_lost_or_doubled_whoever_is_killed(
    broker: Broker, start: Start, join: Join
) -> None:
    people = await join()
    chat = start("chat", **QUICK, BEEPER_CHAT__RATE="100")
    await people.ready()
    acknowledged: list[tuple[str, str]] = []

    async def speak(name: str) -> None:
        for number in range(12):
            one, text = secrets.token_hex(16), f"{name} {number}"
            result = await people.insist(text, name, one)
            assert result.accepted and result.said and result.said.message == text
            acknowledged.append((one, text))
            await asyncio.sleep(random.uniform(0, 0.1))

    async def destroy(chat: Service) -> None:
        for victim in random.sample(["chat", "chat", "chat", "broker", "broker", "both"], 6):
            await asyncio.sleep(random.uniform(0.05, 0.6))
            if victim != "broker":
                chat.kill()
            if victim != "chat":
                broker.stop()
                broker.start()
            if victim != "broker":
                chat = start("chat", **QUICK, BEEPER_CHAT__RATE="100")

    await asyncio.gather(destroy(chat), *(speak(name) for name in ("ann", "bob", "cid", "dan")))
    await people.until(lambda: len(people.texts()) == 48, "all are there, once")
    assert people.history
    assert sorted(acknowledged) == sorted((m.id, m.message) for m in people.history.messages)
    numbers = [message.number for message in people.history.messages]
    assert numbers == sorted(set(numbers))
    for name in ("ann", "bob", "cid", "dan"):
        own = [text for text in people.texts() if text.startswith(name)]
        assert own == [f"{name} {number}" for number in range(12)], "in the order of saying"
