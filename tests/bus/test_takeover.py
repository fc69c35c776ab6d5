"""Nobody takes another's client id: who is let in ends no connection and inherits no session."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from bus import Bus, Settings
from bus.connection import Session
from bus.intake import Intake
from bus.media import MediaConnection
from bus.rights import OBSERVER
from bus.settings import Mqtt, client_id
from bus.topics import CPU
from conftest import DEADLINE, Broker, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr
from station.broker import password

INTRUDERS = ("web", OBSERVER)
"""A service that has been taken over, and a person's user."""


class Victim:
    """The three connections that a service can have: for JSON, for media, and with a session."""

    def __init__(self, broker: Broker) -> None:
        login = broker.login("history")
        file = Path(login["BEEPER_MQTT__PASSWORD_FILE"])
        mqtt = Mqtt(port=broker.port, username="history", password_file=file)
        settings = Settings(mqtt=mqtt)
        self.bus = Bus(settings, "history", "0")
        media = MediaConnection(settings, "history")
        intake = Intake(self.bus, settings, [CPU], lambda *_: None, Session(60, 10))
        self._parts = (self.bus.run, media.run, intake.run)
        self.links = [self.bus.link, media.link, intake._link]

    async def __aenter__(self) -> "Victim":
        self._tasks = [asyncio.create_task(run()) for run in self._parts]
        async with asyncio.timeout(DEADLINE):
            for link in self.links:
                await link.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def victim(broker: Broker) -> AsyncIterator[Victim]:
    broker.require_password()
    async with Victim(broker) as victim:
        yield victim


def intrude(broker: Broker, user: str, name: str) -> None:
    """Log in as `user` with somebody's client id, and stay until the broker has answered."""
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
    client.username_pw_set(user, password(broker.folder, user))
    answers: list[object] = []
    client.on_subscribe = lambda *_: answers.append(1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe("beeper/#", 1)
    wait_until(lambda: answers, f"{user} is let in as {name}")
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("user", INTRUDERS)
async def test_whoever_is_let_in_ends_nobody_elses_connection(
    broker: Broker, victim: Victim, user: str
) -> None:
    for name in ("history", "history-media", "history-intake"):
        for guess in (name, client_id(name, password(broker.folder, user)), f"{name}-"):
            await asyncio.to_thread(intrude, broker, user, guess)
    await victim.bus.echo()
    assert [link.connects for link in victim.links] == [1, 1, 1]


def test_a_client_id_is_the_same_at_each_start_and_another_for_each_connection() -> None:
    one = Mqtt(password=SecretStr("of history"))
    assert one.client_id("history") == one.client_id("history")
    ids = {one.client_id("history"), one.client_id("history-media")}
    ids |= {Mqtt(password=SecretStr("of web")).client_id("history")}
    assert len(ids) == 3 and all(found.startswith("history") for found in ids)
    assert not any("of " in found for found in ids)


def test_without_a_password_there_is_nothing_to_protect() -> None:
    assert Mqtt().client_id("web") == "web"
