"""A history service, and somebody who measures and asks."""

from collections.abc import AsyncIterator

import pytest
from conftest import Broker, Start

from .past import Past


@pytest.fixture
async def past(broker: Broker, start: Start) -> AsyncIterator[Past]:
    """Somebody on the test's broker; no history service runs yet."""
    async with Past(broker.port, start) as past:
        yield past
