"""compose.yaml against the contract and its own rules; tests/compose starts it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bus.rights import SERVICES as RIGHTS
from station import bridge, limits
from station.setup import TOKENS, UIDS, instances
from web.page import VENDOR

COMPOSE: dict[str, Any] = yaml.safe_load(Path("compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"setup", "tokens", "provisioning", "grafana-copy", "backup", "livekit-configure"}
ROOT = {"setup": ["CHOWN"], "backup": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]}
"""`backup` is in a profile: it runs when somebody asks for it."""
CAPABILITIES = ROOT | {"livekit-turn": ["NET_BIND_SERVICE"]}
"""coturn's is one that its file has: without it the kernel would not start the program."""
PUBLISHED = {
    "mosquitto": {"127.0.0.1:${MQTT_PORT:-1883}:1883"},
    "web": {"0.0.0.0:${PAGE_PORT:-8080}:8080"},
    "grafana": {"0.0.0.0:${GRAFANA_PORT:-3000}:3000"},
    "mediamtx": {
        "0.0.0.0:${RTSP_PORT:-8554}:8554",
        "0.0.0.0:${HLS_PORT:-8888}:8888",
        "0.0.0.0:${WHEP_PORT:-8889}:8889",
        "0.0.0.0:${WHEP_UDP_PORT:-8189}:${WHEP_UDP_PORT:-8189}/udp",
    },
}
HOST_NETWORK = {"sensors", "webrtc", "livekit", "livekit-ingress", "livekit-redis", "livekit-turn"}
BUS = {name: one for name, one in SERVICES.items() if "BEEPER_MQTT__USERNAME" in str(one)}
MADE_ANEW = {"provisioning", "runtime"}
"""Volumes that no backup needs."""


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_more_than_it_needs(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] and one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one.get("cap_add", []) == CAPABILITIES.get(name, [])
    assert (one["user"] == "0:0") == (name in ROOT)
    assert one["mem_limit"] and one["pids_limit"] and one["logging"]["options"]["max-size"]
    assert not {"privileged", "devices"} & one.keys()
    assert set(one.get("ports", [])) == PUBLISHED.get(name, set())
    assert (one.get("network_mode") == "host") == (name in HOST_NETWORK)
    assert not {"network_mode", "networks"} <= one.keys()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_SHOTS))
def test_every_container_is_watched_and_comes_back(name: str) -> None:
    one = SERVICES[name]
    assert one["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert one["restart"] == "unless-stopped"
    assert not any("camera" in other for other in one.get("depends_on", {}))


def test_every_image_has_a_pinned_tag_and_a_variable_that_takes_a_digest() -> None:
    for name, one in SERVICES.items():
        if one["image"].endswith(":local"):
            continue
        found = re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z/-]+:v?\d+\.\d+[^:}]*\}", one["image"])
        assert found, name


def test_grafanas_database_is_copied_for_the_image_that_starts() -> None:
    command = SERVICES["grafana-copy"]["command"]
    assert command[2] == SERVICES["grafana"]["image"]
    done = SERVICES["grafana"]["depends_on"]["grafana-copy"]["condition"]
    assert done == "service_completed_successfully"


def test_descriptors_and_memory_lie_above_what_is_used() -> None:
    limit, own = SERVICES["mosquitto"]["mem_limit"], bridge.LIMIT + bridge.SPARE
    assert int(limit.removesuffix("m")) << 20 >= own
    assert SERVICES["mosquitto"]["ulimits"]["nofile"] == limits.UNITS
    web, webrtc = {"max_viewers": 1000, "media": "mediamtx"}, {"max_sessions": 32}
    needed = limits.descriptors({"web": web, "webrtc": webrtc})
    for name, count in needed.items():
        given = re.findall(r"\d+", str(SERVICES[name]["ulimits"]["nofile"]))[-1]
        assert int(given) > count, name


@pytest.mark.parametrize("name", BUS)
def test_a_service_logs_in_as_itself_with_a_file_that_setup_gives_it(name: str) -> None:
    one = BUS[name]
    said = one["environment"]
    service = name.partition("-")[0]
    assert said["BEEPER_MQTT__USERNAME"] == name and name in instances({})
    assert said["BEEPER_MQTT__PASSWORD_FILE"] == f"/secrets/{name}/mqtt_password"
    assert one["user"] == f"{UIDS[service]}:{UIDS[service]}"
    assert service in RIGHTS


def test_others_run_as_the_user_whose_secrets_they_read() -> None:
    for name in ("mosquitto", "influxdb", "tokens", "telegraf", "grafana"):
        assert SERVICES[name]["user"] == f"{UIDS[name]}:{UIDS[name]}"
    asked = SERVICES["tokens"]["command"]
    for reader in TOKENS:
        assert asked[asked.index(f"--{reader}") + 1] == f"/secrets/{reader}/influxdb_token"


@pytest.mark.parametrize("name", sorted(HOST_NETWORK & BUS.keys()))
def test_who_is_in_the_hosts_network_finds_the_broker_where_it_is_published(name: str) -> None:
    said = SERVICES[name]["environment"]
    at = f"{said['BEEPER_MQTT__HOST']}:{said['BEEPER_MQTT__PORT']}:1883"
    assert {at} == PUBLISHED["mosquitto"]


def test_sensors_reads_the_machines_name_for_its_system() -> None:
    place = "/run/host/os-release"
    assert f"/etc/os-release:{place}:ro" in SERVICES["sensors"]["volumes"]
    text = Path("docker/Dockerfile").read_text(encoding="utf-8")
    services = text.partition(" AS services\n")[2]
    assert f"RUN ln -sf {place} /etc/os-release\n" in services


def test_a_backup_has_the_settings_and_every_volume_that_is_not_made_anew() -> None:
    volumes = {f"{name}:/volumes/{name}" for name in COMPOSE["volumes"].keys() - MADE_ANEW}
    assert set(SERVICES["backup"]["volumes"]) == volumes | {"./config:/volumes/config"}


def test_every_service_of_the_contract_is_there() -> None:
    assert {name.partition("-")[0] for name in BUS} == set(RIGHTS)


def test_the_image_has_what_the_page_loads_from_npm() -> None:
    text = Path("docker/Dockerfile").read_text(encoding="utf-8")
    assert all(path in text for path in VENDOR.values())
    assert not re.search(r"^# *syntax", text, re.MULTILINE)
