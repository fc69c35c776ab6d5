"""Metadata as rpicam-vid writes it."""

import json
from pathlib import Path

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
