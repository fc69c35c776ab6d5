"""setup/install, which every target of make calls first."""

import shutil
import subprocess
from pathlib import Path

import pytest

NEEDED = {"mosquitto", "ffmpeg", "arecord"}
BETTER = {"npm", "mosquitto_sub"}
PACKAGES = {"arecord": "alsa-utils", "mosquitto_sub": "mosquitto-clients"}
TOOLS = ("dirname", "sha256sum", "cat", "cut")


def as_a_person(folder: Path, *there: str) -> subprocess.CompletedProcess[str]:
    """Run it without root, on a machine that has just these programs."""
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, text in (("id", "echo 1000"), *((name, "exit 0") for name in ("python3", *there))):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", "setup/install", "run"],
        env={"PATH": str(folder), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", [{"mosquitto"}, {"ffmpeg", "npm"}, NEEDED | BETTER])
def test_without_root_one_line_names_all_that_is_missing(tmp_path: Path, missing: set[str]) -> None:
    ran = as_a_person(tmp_path, *((NEEDED | BETTER) - missing))
    assert ran.returncode == 1
    [line] = ran.stderr.splitlines()
    wanted = line.partition("sudo apt-get install ")[2].partition("  ")[0].split()
    assert set(wanted) == {PACKAGES.get(name, name) for name in missing}
