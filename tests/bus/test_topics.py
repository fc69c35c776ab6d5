"""The contract: what is declared, parsed and documented."""

from pathlib import Path

import pytest
from bus import topics
from bus.__main__ import page
from bus.limits import LIMITS
from bus.messages import CameraMetadata, Climate, iaq_class
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

LEVEL = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,20}\Z")


def test_the_page_of_topics_is_fresh() -> None:
    written = Path("docs/topics.md").read_text(encoding="utf-8")
    assert written == page(), "docs/topics.md is stale: make topics"


def test_no_two_topics_share_an_address() -> None:
    paths = [topic.path for topic in topics.TOPICS]
    paths += [request.path for request in topics.REQUESTS]
    paths += [topic.path for topic in topics.MEDIA]
    assert len(paths) == len(set(paths))


def test_events_are_never_retained_and_states_always() -> None:
    events = {
        "lease",
        "echo",
        "heartbeat",
        "send",
        "delete",
        "result",
        "message",
        "command",
        "renew",
        "end",
    }
    for topic in topics.TOPICS:
        is_event = topic.path.rsplit("/", 1)[1] in events and topic is not topics.STEPPER_LEASE
        assert topic.retain is not is_event, topic.path


@given(level=LEVEL, station=st.just("") | LEVEL)
def test_an_address_parses_back_to_its_topic(level: str, station: str) -> None:
    for topic in topics.TOPICS:
        names = [part[1:-1] for part in topic.path.split("/") if part.startswith("{")]
        name = topics.address(topic, station, **dict.fromkeys(names, level))
        expected = dict.fromkeys(names, level) | ({"station": station} if station else {})
        assert topics.parse(name) == (topic, expected)


@given(st.text(max_size=60))
def test_any_other_name_is_no_topic(name: str) -> None:
    found = topics.parse(name)
    assert found is None or name.startswith(("beeper/", "stations/"))


@pytest.mark.parametrize("level", ["", "a/b", "#", "a+", "a\0"])
def test_a_level_cannot_change_the_depth_of_a_topic(level: str) -> None:
    with pytest.raises(ValueError, match="cannot be a level"):
        topics.address(topics.CAMERA_STATUS, camera=level)


@pytest.mark.parametrize(
    ("iaq", "name"),
    [(0, "Excellent"), (50, "Excellent"), (50.1, "Good"), (150, "Moderate"), (200, "Poor"),
     (300, "Very Poor"), (301, "Severe"), (500, "Severe")],
)  # fmt: skip
def test_air_quality_classes(iaq: float, name: str) -> None:
    assert iaq_class(iaq) == name


def test_metrics_refuse_unknown_keys_and_numbers_that_are_none() -> None:
    good = {"timestamp": 1.0, "temperature": 20, "temperature_raw": 22, "humidity": 40}
    Climate.model_validate({**good, "pressure": 1000})
    for bad in ({"pressure": float("nan")}, {"pressure": 1000, "surprise": 1}, {"pressure": 5000}):
        with pytest.raises(ValidationError):
            Climate.model_validate({**good, **bad})


def test_camera_metadata_keeps_keys_that_it_does_not_know() -> None:
    record = CameraMetadata.model_validate({"timestamp": 1.0, "Lux": 3.5, "FocusFoM": 17})
    assert record.model_dump(exclude_unset=True) == {"timestamp": 1.0, "Lux": 3.5, "FocusFoM": 17}


def test_every_limit_names_a_field_of_the_contract() -> None:
    for limit in LIMITS:
        path, field = limit.field.split(":")
        found = topics.parse(f"beeper/{path}")
        assert found and field in found[0].model.model_fields, limit.field


@pytest.mark.parametrize(
    ("value", "state"),
    [(20, "good"), (28, "good"), (28.1, "warning"), (33, "bad"), (9, "warning"), (4, "bad")],
)
def test_limits_judge_a_value(value: float, state: str) -> None:
    assert LIMITS[0].judge(value) == state
