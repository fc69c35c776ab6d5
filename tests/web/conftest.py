"""A camera on the bus and a web process, as most tests need them."""

from collections.abc import Iterator

import pytest
from bus_camera import Camera
from conftest import Broker, Start
from web_station import Web


@pytest.fixture
def camera(broker: Broker) -> Iterator[Camera]:
    with Camera(broker.port) as camera:
        yield camera


@pytest.fixture
def web(camera: Camera, start: Start) -> Web:
    """Web beside a camera that films."""
    camera.say()
    camera.film()
    web = Web(start, linger="0.5", warm="1")
    web.knows("csi")
    return web
