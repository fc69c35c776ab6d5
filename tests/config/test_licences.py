"""docs/licences.md names everything that is shipped, each with a licence."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROWS = dict(
    re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", Path("docs/licences.md").read_text("utf-8"), re.M)
)


def missing(names: set[str]) -> set[str]:
    return {name for name in names if not ROWS.get(name, "").strip()}


def test_every_python_package_is_there() -> None:
    text = Path("requirements.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.M))
    assert len(names) > 30 and missing(names) == set(), "make licences"


def test_every_package_of_the_page_is_there() -> None:
    lock = json.loads(Path("services/web/package-lock.json").read_text(encoding="utf-8"))
    names = {path.rpartition("node_modules/")[2] for path in lock["packages"] if path}
    assert len(names) > 3 and missing(names) == set(), "make licences"


def test_every_image_is_there() -> None:
    compose: dict[str, Any] = yaml.safe_load(Path("compose.yaml").read_text(encoding="utf-8"))
    images = {one["image"] for one in compose["services"].values()}
    names = {re.sub(r"^\$\{\w+:-|:[^:]*$", "", one) for one in images if ":local" not in one}
    names |= set(re.findall(r"^FROM (\w+):", Path("docker/Dockerfile").read_text("utf-8"), re.M))
    assert len(names) > 8 and missing(names) == set(), "name it in setup/licences"
