"""Metadata as rpicam-vid writes it."""

import json
import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from camera.metadata_file import MetadataFile, place


def test_the_finished_file_is_an_array_of_records(tmp_path: Path) -> None:
    path = place(tmp_path / "new", "csi")
    file = MetadataFile(path)
    crop = (16, 0, 2560, 1920)
    file.write({"Lux": 297.4, "ScalerCrop": crop, "AeLocked": True, "ColourGains": (1.5, 1.25)})
    file.write({"SensorTimestamp": 3, "SensorBlackLevels": (4096, 4096, 4096, 4096)})
    assert path.read_text() == (
        '[\n{\n    "Lux": 297.400000,\n    "ScalerCrop": "(16, 0)/2560x1920",\n'
        '    "AeLocked": true,\n    "ColourGains": [ 1.500000, 1.250000 ]\n},\n'
        '{\n    "SensorTimestamp": 3,\n    "SensorBlackLevels": [ 4096, 4096, 4096, 4096 ]\n}'
    )
    file.close()
    assert [record.get("Lux") for record in json.loads(path.read_text())] == [297.4, None]


def test_each_run_begins_anew(tmp_path: Path) -> None:
    path = place(tmp_path, "csi")
    path.write_text("old" * 1000)
    MetadataFile(path).close()
    assert path.read_text() == "[\n\n]\n"


def test_a_place_that_cannot_be_written_costs_only_the_metadata(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = MetadataFile(tmp_path / "file" / "csi.metadata.json")
    file.write({"Lux": 1.0})
    file.close()


def test_a_full_disk_costs_only_the_metadata() -> None:
    file = MetadataFile(Path("/dev/full"))
    file.write({"Lux": 1.0})
    file.close()


@contextmanager
def room(size: int) -> Iterator[None]:
    """Files of this process may have so many bytes: the kernel cuts writes off as a disk does."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def test_metadata_comes_back_with_the_room_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = place(tmp_path, "csi")
    file = MetadataFile(path)
    file.write({"Lux": 1.0})
    with room(path.stat().st_size + 10):
        for _ in range(3):
            file.write({"Lux": 2.0})
    assert [record.levelname for record in caplog.records] == ["WARNING"], "said once"
    for lux in (3.0, 4.0):
        file.write({"Lux": lux})
    file.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    record = '{{\n    "Lux": {}.000000\n}}'
    torn = f",\n{record.format(2)}"[:10]
    whole = f",\n{record.format(3)},\n{record.format(4)}"
    assert path.read_text() == f"[\n{record.format(1)}{torn}{whole}\n]\n"
