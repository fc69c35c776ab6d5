"""docker/backup and docker/restore beside a stand-in for Docker; tests/compose has a real one."""

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml
from conftest import own_environment
from station.backup import save

SERVICES = yaml.safe_load(Path("compose.yaml").read_text(encoding="utf-8"))["services"]
VOLUMES = [one.partition(":")[2] for one in SERVICES["backup"]["volumes"]]
DOCKER = """#!/bin/sh
echo "$*" >> ../said
case "$*" in
    *" ps "*) printf 'camera-csi\\nlivekit-redis\\nmosquitto\\nsetup\\n' ;;
    *" backup save") . ../save ;;
    *" backup load") cat .env > ../then 2>/dev/null; cat > ../loaded ;;
esac
"""
"""Says what it was told, and that a station with LiveKit runs."""
WRITERS = "mosquitto livekit-redis"
ENVIRONMENT = "EDGE=172.31.199\n"


class Project:
    """The two programs in a folder of their own, and Docker as it is heard by them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._beside = folder / "project", folder
        (self.folder / "docker").mkdir(parents=True)
        for name in ("backup", "restore"):
            shutil.copy(f"docker/{name}", self.folder / "docker" / name)
        docker = folder / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text(DOCKER, encoding="utf-8")
        docker.chmod(0o755)
        self.environment = self.folder / ".env"
        self.archive = folder / "station.tar.gz"

    def run(
        self, name: str, save: str = "echo saved", stdout: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        """docker/backup or docker/restore with the archive; `save` is what the container does."""
        (self._beside / "save").write_text(save, encoding="utf-8")
        path = f"{self._beside / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [self.folder / "docker" / name, self.archive],
            env=own_environment() | {"PATH": path},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    def said(self) -> list[str]:
        """What Docker was told."""
        file = self._beside / "said"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line.removeprefix("compose ") for line in lines]

    def beside(self, name: str) -> bytes:
        """What the stand-in wrote down."""
        return (self._beside / name).read_bytes()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def archive(folder: Path, *names: str, environment: str = "") -> bytes:
    """A backup of volumes with these names."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "much").write_bytes(os.urandom(200_000))
    if environment:
        (folder / ".env").write_text(environment, encoding="utf-8")
    out = io.BytesIO()
    save(folder, out)
    return out.getvalue()


def volumes() -> list[str]:
    return [Path(path).name for path in VOLUMES]


def test_a_backup_stops_who_writes_and_starts_them_again(project: Project) -> None:
    done = project.run("backup")
    assert (done.returncode, done.stdout) == (0, f"{project.archive}\n"), done.stderr
    assert project.archive.read_text(encoding="utf-8") == "saved\n"
    assert project.archive.stat().st_mode & 0o777 == 0o600
    saving = "run --rm -T backup save"
    assert project.said()[1:] == [f"stop {WRITERS}", saving, f"start {WRITERS}"]


@pytest.mark.parametrize("save", ["echo half; exit 3", "echo half; kill -TERM $PPID"])
def test_a_backup_that_fails_or_is_ended_leaves_the_station_running(
    project: Project, save: str
) -> None:
    assert project.run("backup", save).returncode != 0
    assert project.said()[-1] == f"start {WRITERS}"
    assert not [path for path in project.archive.parent.iterdir() if "tar" in path.name]


def test_the_station_goes_on_though_nobody_hears_of_the_backup(project: Project) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert project.run("backup", stdout=writer).returncode != 0
    os.close(writer)
    assert project.said()[-1] == f"start {WRITERS}"


def test_a_backup_has_the_file_of_compose_where_there_is_one(project: Project) -> None:
    project.environment.write_text(ENVIRONMENT, encoding="utf-8")
    assert project.run("backup").returncode == 0
    mount = f"{project.environment}:/volumes/.env:ro"
    assert f"run --rm -T -v {mount} backup save" in project.said()


def test_a_restore_brings_the_file_of_compose_back_before_the_volumes(project: Project) -> None:
    saved = archive(project.folder / "volumes", *volumes(), environment=ENVIRONMENT)
    project.archive.write_bytes(saved)
    project.environment.write_text("another", encoding="utf-8")
    done = project.run("restore")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.said() == ["down", "run --rm -T backup load", "up -d"]
    assert project.beside("then") == ENVIRONMENT.encode()
    assert project.beside("loaded") == saved


@pytest.mark.parametrize("older", [set(), {"config"}])
def test_a_backup_without_that_file_leaves_it(project: Project, older: set[str]) -> None:
    names = set(volumes()) - older
    project.archive.write_bytes(archive(project.folder / "volumes", *names))
    project.environment.write_text("mine", encoding="utf-8")
    done = project.run("restore")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.environment.read_text(encoding="utf-8") == "mine"
    assert project.said()[-1] == "up -d"


def test_what_is_no_backup_stops_nothing(project: Project) -> None:
    whole = archive(project.folder / "volumes", *volumes())
    with tarfile.open(project.archive, "w:gz") as photos:
        photos.add("tests/config", arcname="photos")
    for wrong in (b"no archive", whole[:-100], project.archive.read_bytes()):
        project.archive.write_bytes(wrong)
        done = project.run("restore")
        assert done.returncode == 1
        assert str(project.archive) in done.stderr
    assert "nothing was changed" in done.stderr
    assert project.said() == []


def test_every_writer_is_a_service() -> None:
    text = Path("docker/backup").read_text(encoding="utf-8")
    writers = text.partition('writers="')[2].partition('"')[0].split()
    assert set(writers) <= SERVICES.keys()
