"""Device nodes: which one is taken, and why one cannot be."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from camera import nodes
from camera.source import SourceError

NOBODY = 65534


def test_without_a_camera_it_says_no_device(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^no device"):
        nodes.find("", tmp_path)
    with pytest.raises(SourceError, match=r"^no device: .*video7 does not exist"):
        nodes.find(str(tmp_path / "video7"), tmp_path)


def test_what_is_no_camera_is_said_to_be_none() -> None:
    with pytest.raises(SourceError, match=r"/dev/null is not a camera"):
        nodes.check(Path("/dev/null"))


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder of somebody who is not root: root may open everything, and steps down for it."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
    os.seteuid(was)


def test_a_closed_node_says_no_permission(closed_folder: Path) -> None:
    (closed_folder / "video0").touch(mode=0)
    with pytest.raises(SourceError, match=r"^no permission"):
        nodes.find("", closed_folder)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (13, "no permission"),
        (1, "no permission"),
        (16, "busy"),
        (2, "no device"),
        (19, "no device"),
    ],
)
def test_each_refusal_has_its_own_words(
    number: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _flags: int) -> int:
        raise OSError(number, os.strerror(number), str(path))

    (tmp_path / "video0").touch()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError, match=f"^{says}"):
        nodes.find("", tmp_path)


def test_stable_names_come_first_and_each_node_once(tmp_path: Path) -> None:
    for number in (0, 2, 10):
        (tmp_path / f"video{number}").touch()
    stable = tmp_path / "v4l" / "by-id"
    stable.mkdir(parents=True)
    (stable / "usb-Webcam-video-index0").symlink_to(tmp_path / "video10")
    found = [path.name for path in nodes.candidates(tmp_path)]
    assert found == ["usb-Webcam-video-index0", "video0", "video2"]
