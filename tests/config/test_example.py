"""beeper.example.toml is what the services really read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import own_environment
from station.plan import SERVICES

EXAMPLE = Path("beeper.example.toml")


def test_the_example_is_fresh() -> None:
    printed = subprocess.run(["setup/example"], capture_output=True, text=True, check=True).stdout
    assert EXAMPLE.read_text(encoding="utf-8") == printed, "stale: make example"


@pytest.mark.parametrize("service", [*SERVICES, "station.grafana"])
def test_every_line_of_it_can_be_uncommented(service: str, tmp_path: Path) -> None:
    keys = re.sub(r"^#(?=\S+ = )", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / "beeper.toml").write_text(keys, encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", service, "--show-settings"],
        env=own_environment() | {"BEEPER_CONFIG": str(tmp_path / "beeper.toml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
