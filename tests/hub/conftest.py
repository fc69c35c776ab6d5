"""Two stations and a hub, on three brokers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bridged import HubBroker, Place, StationBroker

AT_HOME = ("sensors", "stepper", "web", "camera-csi", "relay-hub")
AT_THE_HUB = ("web", "web-2", "chat", "history")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    hub = HubBroker(tmp_path / "hub", ("barn", "coop"), AT_THE_HUB)
    barn, coop = (StationBroker(tmp_path / name, name, hub, AT_HOME) for name in ("barn", "coop"))
    yield Place(hub, barn, coop)
    for station in (barn, coop):
        station.cable.cut()
    for broker in (hub, barn, coop):
        broker.stop()
