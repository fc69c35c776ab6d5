"""A stepper service with simulated pins, an operator, and the record of the pins."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Broker, Service, Start
from motor import Remote, Trace

Turn = Callable[..., Service]


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    return Trace(tmp_path / "edges")


@pytest.fixture
def stepper(start: Start, trace: Trace) -> Turn:
    """`stepper(switch_pin="17")`: the service, with settings of `[stepper]`."""

    def turn(**settings: str) -> Service:
        about = {"enabled": "true", "driver": "simulated", "trace": str(trace.path)} | settings
        return start("stepper", **{f"BEEPER_STEPPER__{k.upper()}": v for k, v in about.items()})

    return turn


@pytest.fixture
def remote(broker: Broker) -> Iterator[Remote]:
    with Remote(broker.port) as remote:
        yield remote
