"""A chat service and people around it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from conftest import Broker

from .people import Join, People


@pytest.fixture
async def join(broker: Broker) -> AsyncIterator[Join]:
    """`await join()`: people on the test's broker."""
    async with AsyncExitStack() as stack:

        async def join(name: str = "web") -> People:
            return await stack.enter_async_context(People(broker.port, name))

        yield join
