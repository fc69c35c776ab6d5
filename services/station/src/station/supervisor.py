"""supervisord's configuration (supervisord.org/configuration.html)."""

import shlex
from pathlib import Path

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


def configuration(folder: Path, user: str, programs: dict[str, list[str]]) -> str:
    """All programs; the broker starts first and stops last."""
    parts = [HEAD.format(folder=folder, user=user)]
    for name, command in programs.items():
        line = shlex.join(command).replace("%", "%%")
        priority = 1 if name == "mosquitto" else 10
        parts.append(PROGRAM.format(name=name, command=line, priority=priority))
    return "".join(parts)
