"""supervisord's configuration (supervisord.org/configuration.html)."""

import shlex
from pathlib import Path
from typing import NamedTuple

HEAD = """\
[supervisord]
nodaemon=true
user={user}
logfile=/dev/null
logfile_maxbytes=0
loglevel=warn
pidfile={folder}/supervisord.pid
childlogdir={folder}
"""
PROGRAM = """
[program:{name}]
command={command}
environment={environment}
priority={priority}
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


class Program(NamedTuple):
    """What is run, and the variables that only it has."""

    command: list[str]
    environment: dict[str, str]


def configuration(folder: Path, user: str, programs: dict[str, Program]) -> str:
    """All programs; the broker starts first and stops last."""
    parts = [HEAD.format(folder=folder, user=user)]
    for name, (command, variables) in programs.items():
        pairs = ",".join(f'{key}="{value}"' for key, value in variables.items())
        parts.append(
            PROGRAM.format(
                name=name,
                command=shlex.join(command).replace("%", "%%"),
                environment=pairs.replace("%", "%%"),
                priority=1 if name == "mosquitto" else 10,
            )
        )
    return "".join(parts)
