"""`tests/run`: every stage runs, and the last line is true."""

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

RUN = Path(__file__).with_name("run")
PYTHON = f"{sys.executable} -m pytest -q -p no:cacheprovider -c {{folder}}/pytest.ini {{folder}}"
MIXED = """
import pytest

def test_well(): pass
def test_well_too(): pass
def test_wrong(): assert False
@pytest.fixture
def broken(): raise OSError
def test_error(broken): pass
@pytest.mark.skip
def test_skipped(): pass
"""
MODULE = """
import test from "node:test";
test("well", () => {});
test("wrong", () => { throw new Error("wrong"); });
test.skip("skipped", () => {});
test.todo("to do");
"""


@pytest.fixture
def runner() -> ModuleType:
    loader = SourceFileLoader("run", str(RUN))
    spec = importlib.util.spec_from_loader("run", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def python(folder: Path, text: str) -> tuple[str, ...]:
    """pytest for one file."""
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_some.py").write_text(text)
    return tuple(PYTHON.format(folder=folder).split())


def test_every_stage_runs_and_the_last_line_has_all_of_them(
    runner: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    module = tmp_path / "some.test.mjs"
    module.write_text(MODULE)
    page = runner.STAGES["page"]
    stages = {
        "check": runner.Stage("fails", ("false",), runner.nothing, ""),
        "absent": runner.Stage("is not there", ("no-such-program",)),
        "first": runner.Stage("some of each", python(tmp_path / "first", MIXED)),
        "broken": runner.Stage("is not even read", python(tmp_path / "broken", "import nothing")),
        "died": runner.Stage("says nothing", ("sh", "-c", "kill -9 $$")),
        "page": page._replace(report=page.report.split(" tests/")[0] + f" {module}"),
        "last": runner.Stage("is well", ("true",), runner.nothing, ""),
    }
    assert runner.run(stages) == 1
    lines = capfd.readouterr().out.splitlines()
    began = [line.split()[1] for line in lines if line.startswith("== ")]
    assert began == [f"{name}:" for name in stages]
    assert lines[-1] == "4 passed, 7 failed, 3 skipped"
    assert any(line.startswith("first: 2 passed, 2 failed, 1 skipped, ") for line in lines)
    assert any(line.startswith("page: 1 passed, 1 failed, 2 skipped, ") for line in lines)


def test_what_fails_after_its_tests_have_passed_has_failed(
    runner: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = python(tmp_path / "first", "def test_well(): pass")
    late = ("sh", "-c", '"$@" && exit 3', "sh", *command)
    assert runner.run({"late": runner.Stage("ends badly", late)}) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"


def test_when_all_is_well_the_line_is_plain(
    runner: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = python(tmp_path / "first", "def test_well(): pass")
    assert runner.run({"first": runner.Stage("is well", command)}) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"


def test_a_stage_that_hangs_ends(
    runner: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "LIMIT", 0.2)
    hangs = ("sh", "-c", "sleep 1000 & wait")
    assert runner.run({"hangs": runner.Stage("waits", hangs)}) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_one_stage_is_called_by_its_name() -> None:
    said = subprocess.run([RUN, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in said for name in ("check", "python", "browser", "page", "compose"))
    wrong = subprocess.run([RUN, "pyhton"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "no stage pyhton" in wrong.stderr
