"""The status of a camera, as it is before it is published."""

import pytest
from bus import Bus
from bus.media import MediaConnection
from camera.report import Report
from camera.settings import Camera, Settings


async def report() -> Report:
    settings = Settings(camera={"csi": Camera(driver="test")})
    bus = Bus(settings, "camera-csi", "0")
    return Report(bus, MediaConnection(settings, "camera-csi"), settings.camera["csi"], "csi")


@pytest.mark.parametrize(("apart", "said"), [(0.0001, None), (0.0049, None), (0.04, 0.04)])
async def test_key_frames_that_come_at_once_have_no_interval(
    apart: float, said: float | None
) -> None:
    """An all-intra stream after a hiccup of the network: this must not end the service."""
    about = await report()
    about.say(state="streaming")
    about.meter.frame(100, 1000, key=True)
    about.meter.frame(100 + apart, 1000, key=True)
    assert about.status().key_interval == said


async def test_a_stream_of_empty_pictures_has_a_rate_of_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = await report()
    about.say(state="streaming")
    moment = 100.0
    monkeypatch.setattr("camera.meter.boottime", lambda: moment)
    for moment in (100.0, 104.9):
        about.meter.frame(moment, 1, key=False)
    status = about.status()
    assert (status.fps, status.bitrate_kbps) == (0.2, 0)
