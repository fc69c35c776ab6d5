"""All metadata files of a folder, with encoders that come and go."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import wait_until
from metadata.folder import SETTLED, Folder

Tell = Callable[[str], None]
Encode = Callable[[Path], Tell]


def newest(folder: Folder) -> dict[str, float | None]:
    return {camera: message.Lux for camera, message in folder.poll()}


def open_files(under: Path) -> list[str]:
    """Descriptors of this process that are files below `under`, deleted ones too."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the one that listed the folder
            continue
    return [link for link in links if link.startswith(str(under))]


def test_every_camera_is_followed_as_it_appears(tmp_path: Path, encode: Encode) -> None:
    folder = Folder(tmp_path, 1)
    assert newest(folder) == {}
    csi = encode(tmp_path / "csi.metadata.json")
    csi("frames 2")
    assert newest(folder) == {"csi": 2}
    usb = encode(tmp_path / "usb-2.metadata.txt")
    usb("frames 5")
    csi("frames 1")
    assert newest(folder) == {"csi": 3, "usb-2": 5}
    assert newest(folder) == {}
    assert folder.problems == {}


def test_a_camera_is_found_in_a_folder_that_has_been_still(tmp_path: Path, encode: Encode) -> None:
    before = tmp_path.stat().st_mtime - 10 * SETTLED
    os.utime(tmp_path, (before, before))
    folder = Folder(tmp_path, 1)
    assert newest(folder) == {}
    encode(tmp_path / "csi.metadata.json")("frames 1")
    assert newest(folder) == {"csi": 1}


def test_what_the_service_finds_when_it_starts_is_old(tmp_path: Path, encode: Encode) -> None:
    tell = encode(tmp_path / "csi.metadata.json")
    tell("frames 2")
    folder = Folder(tmp_path, 1)
    assert newest(folder) == {}
    tell("frames 1")
    assert newest(folder) == {"csi": 3}


def test_the_message_says_when_the_frame_was_taken(tmp_path: Path, encode: Encode) -> None:
    folder = Folder(tmp_path, 2)
    folder.poll()
    before = time.time()
    encode(tmp_path / "csi.metadata.json")("frames 1")
    written = (tmp_path / "csi.metadata.json").stat().st_mtime
    [(_, message)] = folder.poll()
    assert before - 0.5 < message.timestamp < written + 0.5
    assert message.interval == 2


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("csi.json", "metadata.json", "csi.metadata.json.bak", ".metadata", "notes"):
        (tmp_path / name).write_text('[\n{\n    "Lux": 1\n}')
    folder = Folder(tmp_path, 1)
    assert newest(folder) == {}
    assert folder.problems == {}
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("name", ["Csi", "", "+", "a b", "x" * 65])
def test_a_file_that_is_named_after_no_camera_is_reported(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.metadata.json"
    path.write_text("[\n")
    folder = Folder(tmp_path, 1)
    for _ in range(2):
        assert newest(folder) == {}
        assert "is not the name of a camera" in folder.problems[path.name]
    path.unlink()
    folder.poll()
    assert folder.problems == {}


def test_a_missing_folder_is_a_problem_until_it_is_there(tmp_path: Path, encode: Encode) -> None:
    path = tmp_path / "run"
    folder = Folder(path, 1)
    assert newest(folder) == {}
    assert folder.problems == {"runtime_dir": f"{path}: No such file or directory"}
    path.mkdir()
    encode(path / "csi.metadata.json")("frames 1")
    assert newest(folder) == {"csi": 1}
    assert folder.problems == {}
    (path / "csi.metadata.json").unlink()
    path.rmdir()
    assert newest(folder) == {}
    assert folder.problems == {"runtime_dir": f"{path}: No such file or directory"}
    assert open_files(tmp_path) == []


def test_a_deleted_file_is_let_go_so_that_the_disk_is_free(tmp_path: Path, encode: Encode) -> None:
    path = tmp_path / "csi.metadata.json"
    folder = Folder(tmp_path, 1)
    encode(path)("frames 1")
    folder.poll()
    assert open_files(tmp_path) == [str(path)]
    path.unlink()
    wait_until(lambda: not folder.poll() and not open_files(tmp_path), "the file is closed")
    assert folder.problems == {}


def test_a_file_that_was_moved_away_is_followed_no_more(tmp_path: Path, encode: Encode) -> None:
    path = tmp_path / "csi.metadata.json"
    folder = Folder(tmp_path, 1)
    assert newest(folder) == {}
    tell = encode(path)
    tell("frames 1")
    assert newest(folder) == {"csi": 1}
    path.rename(tmp_path / "old")
    encode(path)("frames 7")
    tell("frames 1")
    assert newest(folder) == {"csi": 7}
    assert open_files(tmp_path) == [str(path)]


def test_an_unreadable_file_is_a_problem_until_it_can_be_read(
    ordinary_user: Path, drop_rights: Callable[[], None], encode: Encode
) -> None:
    path = ordinary_user / "csi.metadata.json"
    tell = encode(path)
    path.chmod(0)
    root = os.geteuid()
    drop_rights()
    folder = Folder(ordinary_user, 1)
    assert newest(folder) == {}
    assert folder.problems == {path.name: f"{path}: Permission denied"}
    os.seteuid(root)
    path.chmod(0o644)
    drop_rights()
    folder.poll()
    assert folder.problems == {}
    tell("frames 1")
    assert newest(folder) == {"csi": 1}


def test_a_pipe_in_place_of_a_file_is_a_problem_and_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "csi.metadata.json")
    folder = Folder(tmp_path, 1)
    folder.poll()
    assert "is not a regular file" in folder.problems["csi.metadata.json"]
    assert open_files(tmp_path) == []
