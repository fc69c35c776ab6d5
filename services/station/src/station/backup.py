"""The service `backup` of compose.yaml: every volume and the settings into one file, and back.

`save` writes a gzipped tar to standard output, `load` reads one from standard input and replaces
what is there. Nobody may write meanwhile: docker/backup and docker/restore see to that.
"""

import argparse
import shutil
import sqlite3
import sys
import tarfile
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import IO

VOLUMES = Path("/volumes")
CHAT = Path("state/chat/chat.sqlite")
SETTINGS = "config"
"""The station's folder of that name: a volume like the others, whose files are people's."""
README = "config/README.md"
"""Of the program, not of its settings: it stays as this version has it."""
ENVIRONMENT = ".env"
"""What only Compose knows; docker/restore puts it back, since Compose reads it before `load`."""


def main() -> int:
    """The command; 1 with one line when it could not be done."""
    parser = argparse.ArgumentParser(prog="backup", description=__doc__)
    parser.add_argument("what", choices=("save", "load"))
    try:
        if parser.parse_args().what == "save":
            save(VOLUMES, sys.stdout.buffer)
        else:
            load(VOLUMES, sys.stdin.buffer)
    except (OSError, tarfile.TarError, ValueError) as error:
        sys.stderr.write(f"backup: {error}\n")
        return 1
    return 0


def save(volumes: Path, out: IO[bytes]) -> None:
    """Everything, with its owners, by their numbers."""
    with tarfile.open(fileobj=out, mode="w|gz") as tar:
        for volume in sorted(volumes.iterdir()):
            tar.add(volume, arcname=volume.name)


def load(volumes: Path, source: IO[bytes]) -> None:
    """Replace what is there; raises ValueError before that when it is no backup of ours.

    A volume that the backup does not know, being older, stays as it is.
    """
    here = {volume.name for volume in volumes.iterdir()}
    with tarfile.open(fileobj=source, mode="r|gz") as tar:
        first = tar.next()
        if first is None or first.name not in here | {ENVIRONMENT}:
            raise ValueError("this is no backup of Beeper Keeper")
        for name, members in groupby(chain([first], tar), lambda member: member.name.split("/")[0]):
            if name in here:
                empty(volumes / name, volumes / README)
                for member in settings(members, volumes / name) if name == SETTINGS else members:
                    tar.extract(member, volumes, numeric_owner=True, filter="tar")
    keep_conversation(volumes / CHAT)


def settings(members: Iterator[tarfile.TarInfo], folder: Path) -> Iterator[tarfile.TarInfo]:
    """What is to be put there; who owned the folder owns it again, by another number or not."""
    there, here = next(members), folder.stat()
    for member in chain([there], members):
        if member.name != README:
            yield member.replace(
                uid=here.st_uid if member.uid == there.uid else member.uid,
                gid=here.st_gid if member.gid == there.gid else member.gid,
                deep=False,
            )


def empty(folder: Path, keep: Path) -> None:
    """Remove what is in a folder that is a mount, and so stays."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != keep:
            entry.unlink()


def keep_conversation(file: Path) -> None:
    """The station starts anew after this, and the conversation must not: forget its start."""
    if file.exists():
        with sqlite3.connect(file) as database:
            database.execute("DELETE FROM about WHERE key = 'start'")
        database.close()


if __name__ == "__main__":
    raise SystemExit(main())
