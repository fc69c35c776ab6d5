"""An ear on the bus for the tests that start the camera as users do."""

from collections.abc import Iterator

import pytest
from camera_ear import Ear
from conftest import Broker


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    """Hears everything on the test's broker."""
    ear = Ear(broker.port)
    yield ear
    ear.client.disconnect()
    ear.client.loop_stop()
