"""What a camera says of itself that nobody measures."""

from camera_ear import Ear, variables
from conftest import Start

SMALL = {"driver": "test", "width": "320", "height": "240", "fps": "20"}


def test_a_camera_says_its_title(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, title="Coop"))
    assert ear.said(lambda s: s.state == "streaming", "pictures").title == "Coop"


def test_without_one_it_has_its_name_only(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL))
    assert ear.said(lambda s: s.state == "streaming", "pictures").title is None


def test_controls_that_its_driver_does_not_have_are_said(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, controls__hflip="true"))
    status = ear.said(lambda s: s.state == "streaming", "pictures")
    assert status.warning == "controls are set, and driver test has none"
