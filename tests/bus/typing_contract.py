"""Checked by mypy, never run: the wrong message on a topic must not type-check."""

from bus import Bus, Levels
from bus.messages import AudioLevel, Climate, Echo, HistoryQuery, WebrtcAnswer
from bus.topics import AUDIO, CLIMATE, HISTORY_QUERY


async def wrong_message_for_the_topic(bus: Bus) -> None:
    await bus.publish(CLIMATE, Echo(timestamp=1.0))  # type: ignore[misc]


def hears_loudness(message: AudioLevel, levels: Levels) -> None: ...


def wrong_handler_for_the_topic(bus: Bus) -> None:
    bus.subscribe(AUDIO, hears_loudness)
    bus.subscribe(CLIMATE, hears_loudness)  # type: ignore[arg-type]


async def wrong_query_for_the_request(bus: Bus) -> None:
    await bus.request(HISTORY_QUERY, Echo(timestamp=1.0))  # type: ignore[misc]


async def answers_wrongly(query: HistoryQuery) -> WebrtcAnswer:
    raise NotImplementedError


def wrong_answer_to_the_request(bus: Bus) -> None:
    bus.respond(HISTORY_QUERY, answers_wrongly)  # type: ignore[arg-type]


def wrong_field_in_the_message() -> Climate:
    return Climate(timestamp=1.0, temperatur=20.0)  # type: ignore[call-arg]
