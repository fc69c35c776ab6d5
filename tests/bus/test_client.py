"""The client of the bus against a real Mosquitto."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import paho.mqtt.client as paho
import pytest
from bus import Bus, BusError, Declined, Levels, Nobody, Refusal, Refused, Settings
from bus.inbox import MAX_PAYLOAD
from bus.messages import (
    AudioLevel,
    CpuTemperature,
    Heartbeat,
    HistoryQuery,
    HistorySeries,
    Message,
    ServiceStatus,
)
from bus.settings import Mqtt
from bus.topics import AUDIO, CPU, HEARTBEAT, HISTORY_QUERY, SERVICE_STATUS, address
from conftest import DEADLINE, Broker, wait_until
from paho.mqtt.enums import CallbackAPIVersion

Join = Callable[[str], Awaitable[Bus]]


def loudness(level: float) -> AudioLevel:
    return AudioLevel(timestamp=time.time(), level_db=level, level_dbfs=-20.0, peak_dbfs=-10.0)


def settings(broker: Broker, **mqtt: object) -> Settings:
    fast = {"port": broker.port, "retry_min": 0.05, "retry_max": 0.2, "timeout": 1.0}
    return Settings(mqtt=Mqtt.model_validate(fast | mqtt))


@pytest.fixture
async def join(broker: Broker) -> AsyncIterator[Join]:
    """A bus of the given name, connected; all are ended with the test."""
    tasks: list[asyncio.Task[None]] = []

    async def join_one(name: str) -> Bus:
        bus = Bus(settings(broker), name, "1")
        tasks.append(asyncio.create_task(bus.run()))
        await asyncio.wait_for(bus.link.ready(), DEADLINE)
        return bus

    yield join_one
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Heard:
    """What a subscription has brought."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[Message, Levels]] = asyncio.Queue()

    def __call__(self, message: Message, levels: Levels) -> None:
        self.queue.put_nowait((message, levels))

    async def next(self) -> Message:
        return (await asyncio.wait_for(self.queue.get(), DEADLINE))[0]


async def raw(broker: Broker, topic: str, payload: bytes, retain: bool = False) -> None:
    """Publish anything, as a stranger would."""
    await asyncio.to_thread(publish_raw, broker, topic, payload, retain)


def publish_raw(broker: Broker, topic: str, payload: bytes, retain: bool) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish(topic, payload, 1, retain).wait_for_publish(DEADLINE)
    client.loop_stop()
    client.disconnect()


async def eventually(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition, "what the test waits for")


async def test_a_message_arrives_as_it_was_sent(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    listener.subscribe(AUDIO, heard := Heard())
    sent = loudness(42.0)
    await speaker.publish(AUDIO, sent)
    assert await heard.next() == sent


async def test_whoever_comes_later_gets_the_retained_one(join: Join) -> None:
    await (await join("speaker")).publish(AUDIO, sent := loudness(1.0))
    (await join("listener")).subscribe(AUDIO, heard := Heard())
    assert await heard.next() == sent


async def test_a_station_has_its_own_root(broker: Broker, join: Join) -> None:
    hub = await join("hub")
    hub.subscribe(AUDIO, heard := Heard(), station="+")
    await raw(broker, "stations/barn/beeper/audio/level", loudness(2.0).model_dump_json().encode())
    message, levels = await asyncio.wait_for(heard.queue.get(), DEADLINE)
    assert (message.model_dump()["level_db"], levels) == (2.0, {"station": "barn"})


async def test_a_command_that_nobody_takes_is_an_error(join: Join) -> None:
    speaker = await join("speaker")
    with pytest.raises(Nobody):
        await speaker.publish(HEARTBEAT, Heartbeat(session="1", name="a"))


async def test_a_refusal_of_the_broker_is_an_error(broker: Broker, join: Join) -> None:
    broker.forbid("beeper/audio/level")
    speaker = await join("speaker")
    with pytest.raises(Refused, match="Not authorized"):
        await speaker.publish(AUDIO, loudness(1.0))


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"timestamp": 1e999}', b'{"timestamp": NaN}',
     b"[" * 100_000, b'{"a":' + b"9" * 10_000 + b"}", b"x" * (MAX_PAYLOAD + 1)],
    ids=["empty", "half", "not UTF-8", "list", "infinite", "NaN", "deep", "long number", "large"],
)  # fmt: skip
async def test_rubbish_is_dropped_and_counted(broker: Broker, join: Join, payload: bytes) -> None:
    listener = await join("listener")
    listener.subscribe(AUDIO, heard := Heard())
    await listener.echo()
    await raw(broker, AUDIO.path, payload)
    await listener.publish(AUDIO, good := loudness(3.0))
    assert await heard.next() == good
    assert listener.invalid[AUDIO.path] == (1 if payload else 0)


async def test_a_name_with_a_level_of_its_own_is_dropped(broker: Broker, join: Join) -> None:
    listener = await join("listener")
    listener.subscribe(SERVICE_STATUS, heard := Heard())
    await heard.next()
    await raw(broker, "beeper/service/<b>hi/status", b"{}")
    await eventually(lambda: listener.invalid[SERVICE_STATUS.path] == 1)


async def test_a_retained_event_is_refused(broker: Broker, join: Join) -> None:
    event = Heartbeat(session="1", name="a").model_dump_json().encode()
    await raw(broker, HEARTBEAT.path, event, retain=True)
    listener = await join("listener")
    listener.subscribe(HEARTBEAT, heard := Heard())
    await eventually(lambda: listener.invalid[HEARTBEAT.path] == 1)
    assert heard.queue.empty()


async def test_requests_are_answered_refused_or_time_out(join: Join) -> None:
    asker, answerer = await join("asker"), await join("answerer")
    query = HistoryQuery(metric="audio/level:level_db", start=1.0, end=2.0, points=1)
    with pytest.raises(Nobody):
        await asker.request(HISTORY_QUERY, query)

    async def answers(query: HistoryQuery) -> HistorySeries:
        if query.end > 2:
            raise Refusal("the future is not known")
        if query.end < 2:
            await asyncio.sleep(DEADLINE)
        return HistorySeries(step=1, timestamps=[query.start], mean=[1.0], min=[1.0], max=[1.0])

    answerer.respond(HISTORY_QUERY, answers)
    await answerer.echo()
    assert (await asker.request(HISTORY_QUERY, query)).timestamps == [1.0]
    with pytest.raises(BusError, match="the future is not known"):
        await asker.request(HISTORY_QUERY, query.model_copy(update={"end": 3.0}))
    with pytest.raises(BusError, match=r"within 0\.1 s"):
        await asker.request(HISTORY_QUERY, query.model_copy(update={"end": 1.5}), seconds=0.1)


async def test_an_unexpected_error_is_answered_at_once_and_logged_once_a_kind(
    join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    asker, answerer = await join("asker"), await join("answerer")
    query = HistoryQuery(metric="audio/level:level_db", start=1.0, end=2.0, points=1)

    async def fails(query: HistoryQuery) -> HistorySeries:
        if query.end > 5:
            raise KeyError("another kind")
        if query.end > 2:
            raise ZeroDivisionError
        return HistorySeries(step=1, timestamps=[1.0], mean=[1.0], min=[1.0], max=[1.0])

    answerer.respond(HISTORY_QUERY, fails)
    await answerer.echo()
    for _ in range(3):
        with pytest.raises(Declined, match="ZeroDivisionError") as said:
            await asker.request(HISTORY_QUERY, query.model_copy(update={"end": 3.0}), DEADLINE)
        assert said.value.code == 500
    with pytest.raises(Declined, match="KeyError"):
        await asker.request(HISTORY_QUERY, query.model_copy(update={"end": 9.0}), DEADLINE)
    assert (await asker.request(HISTORY_QUERY, query)).timestamps == [1.0]
    failures = [record for record in caplog.records if record.exc_info]
    assert len(failures) == 2 and "Traceback" in caplog.text


async def test_a_request_that_is_none_is_answered_too(join: Join) -> None:
    asker, answerer = await join("asker"), await join("answerer")

    async def never(_query: HistoryQuery) -> HistorySeries:
        raise AssertionError("it is no query")

    answerer.respond(HISTORY_QUERY, never)
    await answerer.echo()
    wrong = HistoryQuery.model_construct(metric="", start=1.0, end=2.0, points=0)
    with pytest.raises(Declined) as said:
        await asker.request(HISTORY_QUERY, wrong, DEADLINE)
    assert said.value.code == 400
    assert answerer.invalid[HISTORY_QUERY.path] == 1


async def test_after_a_broker_restart_state_and_subscriptions_are_back(
    broker: Broker, join: Join
) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    listener.subscribe(AUDIO, heard := Heard())
    await speaker.publish(AUDIO, sent := loudness(7.0))
    assert await heard.next() == sent
    broker.stop()
    await eventually(lambda: not speaker.connected)
    await speaker.publish(AUDIO, newer := loudness(8.0))
    with pytest.raises(BusError, match="away"):
        await speaker.publish(HEARTBEAT, Heartbeat(session="1", name="a"))
    broker.start()
    assert await heard.next() == newer


async def test_what_is_said_while_it_is_repeated_wins(
    broker: Broker, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = await join("speaker")
    await speaker.publish(CPU, CpuTemperature(timestamp=time.time(), cpu_temp=40.0))
    await speaker.publish(AUDIO, loudness(1.0))
    newest = loudness(2.0)
    send, sent = speaker.link.send, list[str]()

    async def send_and_be_overtaken(name: str, *rest: Any) -> None:
        with contextlib.suppress(Nobody):
            await send(name, *rest)
        if name.endswith("cpu/temperature"):
            await speaker.publish(AUDIO, newest)
        sent.append(name)

    broker.stop()
    await eventually(lambda: not speaker.connected)
    monkeypatch.setattr(speaker.link, "send", send_and_be_overtaken)
    broker.start()
    await eventually(lambda: sent.count(address(AUDIO)) == 2)
    (await join("listener")).subscribe(AUDIO, heard := Heard())
    assert await heard.next() == newest


async def test_a_stopped_broker_is_noticed_by_the_echo(broker: Broker, join: Join) -> None:
    bus = await join("watcher")
    assert await bus.echo() < DEADLINE
    broker.signal(signal.SIGSTOP)
    with pytest.raises(BusError, match="does not answer"):
        await bus.echo()


async def test_unsubscribing_one_of_two_leaves_the_other(join: Join) -> None:
    bus = await join("listener")
    stop = bus.subscribe(AUDIO, first := Heard())
    bus.subscribe(AUDIO, second := Heard())
    stop()
    await bus.publish(AUDIO, loudness(1.0))
    await second.next()
    assert first.queue.empty()


async def test_problems_go_out_at_once_and_are_taken_back(join: Join) -> None:
    listener, ill = await join("listener"), await join("ill")
    listener.subscribe(SERVICE_STATUS, heard := Heard(), instance="ill")
    ill.problem("probe", "no device")

    async def told(problems: dict[str, str]) -> None:
        while True:
            status = await heard.next()
            assert isinstance(status, ServiceStatus)
            if status.problems == problems:
                return

    await told({"probe": "no device"})
    ill.problem("probe", None)
    await told({})


async def test_wrong_credentials_are_said_in_words(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.require_password()
    bus = Bus(settings(broker, username="nobody", password="wrong"), "stranger", "1")  # noqa: S106
    task = asyncio.create_task(bus.run())
    await eventually(lambda: "Not authorized" in caplog.text or "Bad user" in caplog.text)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_the_status_topic_is_the_instances_own() -> None:
    assert address(SERVICE_STATUS, instance="web-2") == "beeper/service/web-2/status"
