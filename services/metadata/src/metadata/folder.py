"""The folder in which every camera's metadata file appears, and the files that are there."""

import os
import re
import time
from pathlib import Path

from bus.messages import CameraMetadata

from .follower import Follower
from .reading import Now, reading
from .record import Form

FORMS: dict[str, Form] = {"metadata.json": "json", "metadata.txt": "txt"}

SETTLED = 0.1
"""A folder changed less than this before it was listed may change again at the same time (s)."""

_CAMERA = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Folder:
    """Looks at all files of a folder at once, at most every `every` seconds."""

    def __init__(self, path: Path, every: float) -> None:
        self.problems: dict[str, str] = {}
        """What is wrong now, by file name or `runtime_dir`."""
        self._path = path
        self._every = every
        self._followers: dict[str, Follower] = {}
        self._misnamed: dict[str, str] = {}
        self._listed = -1.0
        self._first = True

    def poll(self) -> list[tuple[str, CameraMetadata]]:
        """The newest record of each camera that has a new one."""
        self.problems = {}
        try:
            changed = self._path.stat().st_mtime
            if changed != self._listed:
                self._follow(self._files())
                self._listed = changed if time.time() - changed > SETTLED else -1.0
        except OSError as error:
            self.problems["runtime_dir"] = f"{self._path}: {error.strerror}"
            self._follow({})
            self._listed = -1.0
        self.problems |= self._misnamed
        return [news for name in self._followers if (news := self._look(name))]

    def _follow(self, files: dict[str, int]) -> None:
        for name in self._followers.keys() - files.keys():
            self._followers.pop(name).close()
        for name, inode in files.items():
            if follower := self._followers.get(name):
                follower.leave(inode)
            else:
                form = FORMS[ending(name)]
                self._followers[name] = Follower(self._path / name, form, skip=self._first)
        self._first = False

    def _files(self) -> dict[str, int]:
        """The names that are a camera's, with the number of the file (inode) at each."""
        with os.scandir(self._path) as entries:
            files = {entry.name: entry.inode() for entry in entries if ending(entry.name) in FORMS}
        wrong = {name for name in files if _CAMERA.fullmatch(camera(name)) is None}
        what = "is not the name of a camera: a-z, 0-9, - and _, at most 64"
        self._misnamed = {name: f"{camera(name)!r} {what}" for name in wrong}
        return {name: inode for name, inode in files.items() if name not in wrong}

    def _look(self, name: str) -> tuple[str, CameraMetadata] | None:
        follower = self._followers[name]
        try:
            news = follower.poll()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.problems[name] = f"{follower.path}: {error.strerror or error}"
            return None
        if follower.problem:
            self.problems[name] = follower.problem
        if news is None:
            return None
        return camera(name), reading(news.fields, news.written, self._every, Now.read())


def camera(name: str) -> str:
    """The camera whose file this is."""
    return name.partition(".")[0]


def ending(name: str) -> str:
    """What follows the camera's name, in `FORMS` when the file is metadata."""
    return name.partition(".")[2]
