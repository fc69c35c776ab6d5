"""A camera on the bus, and the services that bring it to a WebRTC viewer."""

from collections.abc import Iterator

import pytest
from bus_camera import Camera
from conftest import Broker, Start
from web_station import Web
from webrtc_viewer import with_webrtc


@pytest.fixture
def camera(broker: Broker) -> Iterator[Camera]:
    """A camera that films."""
    with Camera(broker.port) as camera:
        camera.say()
        camera.film()
        yield camera


@pytest.fixture
def web(camera: Camera, start: Start) -> Web:
    """Web and webrtc beside it."""
    return with_webrtc(start, camera)
