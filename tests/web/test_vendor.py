import gzip
import json
import re
from pathlib import Path

from conftest import Start
from web_station import Web

FOLDER = Path("services/web")
LIBRARIES = {"hls.mjs": "hls.js", "livekit.mjs": "livekit-client", "uplot.mjs": "uplot"}


def test_what_comes_from_npm_is_served_as_it_is_or_packed(start: Start) -> None:
    web = Web(start)
    for name, package in LIBRARIES.items():
        plain = web.get(f"/static/vendor/{name}")
        assert plain.status == 200
        assert plain.headers["Content-Type"].startswith("text/javascript")
        version = json.loads((FOLDER / f"node_modules/{package}/package.json").read_text())
        assert version["version"].encode() in plain.body
        packed = web.get(f"/static/vendor/{name}", Accept_Encoding="gzip, br")
        assert "Accept-Encoding" in packed.headers["Vary"].split(", ")
        assert gzip.decompress(packed.body) == plain.body
        tag = packed.headers["ETag"]
        assert tag != plain.headers["ETag"]
        again = web.get(f"/static/vendor/{name}", Accept_Encoding="gzip", If_None_Match=tag)
        assert again.status == 304 and not again.body
    assert web.get("/static/vendor/nothing.mjs").status == 404
    assert web.get("/static/vendor/../page.py").status == 404


def test_the_lock_pins_every_package_and_names_no_registry() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    packages = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    for path, about in packages.items():
        assert "resolved" not in about
        assert not path or about["integrity"].startswith("sha512-")
