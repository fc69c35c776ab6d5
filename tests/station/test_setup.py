"""What `setup` of compose.yaml hands out; with CAP_CHOWN alone it runs in tests/compose."""

import os
from pathlib import Path

import pytest
from station.setup import (
    STATE,
    TOKENS,
    UIDS,
    VOLUMES,
    Places,
    hand_out,
    instances,
    other_groups,
    other_majors,
    shown,
)

MADE = "what InfluxDB made meanwhile"
NAMES = instances({"CAMERAS": "csi door", "RELAYS": ""})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    if os.geteuid():
        pytest.skip("only root gives files away")
    places = Places(
        *(tmp_path / name for name in ("own", "given", "state", "volumes", "dev", "proc"))
    )
    for folder in places:
        folder.mkdir()
    for volume in VOLUMES:
        (places.volumes / volume).mkdir()
    return places


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_each_reader_owns_its_files_and_nobody_else_enters(places: Places) -> None:
    hand_out(places, NAMES)
    assert not any("relay" in name for name in NAMES) and "camera-door" in NAMES
    for folder in places.given.iterdir():
        uid = UIDS[folder.name.partition("-")[0]]
        about = folder.stat()
        assert (about.st_mode & 0o7, about.st_gid) == (0, uid)
        assert about.st_uid == (UIDS["tokens"] if folder.name in TOKENS else 0)
        for file in folder.iterdir():
            assert (file.stat().st_mode & 0o777, file.stat().st_uid) == (0o600, uid)
    client = (places.given / "telegraf" / "mqtt_client").read_text(encoding="utf-8")
    assert client.startswith("telegraf-") and len(client) > len("telegraf-") + 20
    for name in STATE:
        assert (places.state / name).stat().st_uid == UIDS[name]


def test_the_second_time_every_secret_is_the_same(places: Places) -> None:
    hand_out(places, NAMES)
    first, words = contents(places.given), list(shown(places))
    token = places.given / "grafana" / "influxdb_token"
    token.write_text(MADE, encoding="utf-8")
    hand_out(places, [*NAMES, "camera-attic"])
    again = contents(places.given)
    changed = {name for name in first if again[name] != first[name]}
    # Only the broker's own files: another user, and salts.
    assert changed == {"mosquitto/acl", "mosquitto/passwords"}
    assert again["grafana/influxdb_token"] == MADE
    assert list(shown(places)) == words


def test_groups_with_other_numbers_are_found(places: Places) -> None:
    device = places.dev / "i2c-1"
    device.touch()
    os.chown(device, 0, 994)
    assert other_groups(places.dev, {"GROUP_I2C": "988", "GROUP_GPIO": "986"}) == {"GROUP_I2C": 994}
    assert not other_groups(places.dev, {"GROUP_I2C": "994"})


def test_devices_with_other_numbers_are_found(tmp_path: Path) -> None:
    (tmp_path / "devices").write_text(
        "Character devices:\n  1 mem\n237 media\n252 dma_heap\n\nBlock devices:\n  7 loop\n"
    )
    thought = {"MAJOR_MEDIA": "236", "MAJOR_DMA_HEAP": "252", "MAJOR_GPIO": "254"}
    assert other_majors(tmp_path, thought) == {"MAJOR_MEDIA": 237}
