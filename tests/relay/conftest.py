"""Real receivers for the relay, and a real camera that it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from camera_ear import Ear, variables
from conftest import Broker, Start
from relay_peers import Hearing, Receiver, Relays, RtmpReceiver, RtspReceiver, WhipReceiver


@pytest.fixture
def hearing(broker: Broker) -> Iterator[Hearing]:
    """What relays say of themselves."""
    hearing = Hearing(broker.port)
    yield hearing
    hearing.close()


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    """Hears everything that the camera encodes."""
    ear = Ear(broker.port)
    yield ear
    ear.client.disconnect()
    ear.client.loop_stop()


@pytest.fixture
def relays(start: Start, ear: Ear, hearing: Hearing) -> Relays:
    """Starts relays on the camera `csi`, which draws and beeps."""
    start("camera", "csi", **variables("csi", driver="test", audio="test", fps="30"))
    ear.more(1)
    ear.more(1, "audio")
    return Relays(start, hearing)


@pytest.fixture
def rtsp(tmp_path: Path) -> Iterator[Receiver]:
    """ffmpeg in listen mode."""
    with RtspReceiver(tmp_path) as receiver:
        yield receiver


@pytest.fixture
def rtmp(tmp_path: Path) -> Iterator[Receiver]:
    """ffmpeg in listen mode."""
    with RtmpReceiver(tmp_path) as receiver:
        yield receiver


@pytest.fixture
def whip(tmp_path: Path) -> Iterator[Receiver]:
    """aiortc behind an HTTP server."""
    with WhipReceiver(tmp_path) as receiver:
        yield receiver
