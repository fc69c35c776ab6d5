"""supervisord's configuration (supervisord.org/configuration.html)."""

import shlex
from pathlib import Path
from typing import NamedTuple

from .init import tied

HEAD = """\
[supervisord]
nodaemon=true
user={user}
logfile=/dev/null
logfile_maxbytes=0
loglevel=warn
pidfile={folder}/supervisord.pid
minfds={descriptors}
childlogdir={folder}
"""
PROGRAM = """
[program:{name}]
command={command}
environment={environment}
autorestart=true
; A service that cannot start is tried again, ever more slowly.
startretries=1000000
startsecs=1
stopwaitsecs=4
killasgroup=true
redirect_stderr=true
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
"""


GROUP = """
; Groups stop one after another, the programs of a group at once.
[group:{name}]
programs={programs}
priority={priority}
"""
BROKER = "mosquitto"


class Program(NamedTuple):
    """What is run, and the variables that only it has."""

    command: list[str]
    environment: dict[str, str]


def configuration(folder: Path, user: str, programs: dict[str, Program], descriptors: int) -> str:
    """All programs, each with so many descriptors; the broker starts first and stops last."""
    parts = [HEAD.format(folder=folder, user=user, descriptors=descriptors)]
    for name, (command, variables) in programs.items():
        pairs = ",".join(f'{key}="{value}"' for key, value in variables.items())
        parts.append(
            PROGRAM.format(
                name=name,
                command=shlex.join(tied(command)).replace("%", "%%"),
                environment=pairs.replace("%", "%%"),
            )
        )
    groups = {"broker": [name for name in programs if name == BROKER]}
    groups["services"] = [name for name in programs if name != BROKER]
    for priority, (group, members) in enumerate(groups.items()):
        if members:
            parts.append(GROUP.format(name=group, programs=",".join(members), priority=priority))
    return "".join(parts)
