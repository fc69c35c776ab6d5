"""The first process of a station, as tini(1) is a container's: it ends with all that it began.

supervisord starts the programs and restarts what dies. This process waits for it, hands on the
signals that ask for an end, and then ends whatever is left. It imports little: it stays all day.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2): a process whose parent dies becomes a child of this one."""

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
"""What asks for the end; SIGHUP is a terminal that was closed, unless nohup(1) takes it away."""

TERMINATE, KILL = 2.0, 0.5
"""Seconds that those who are left have after SIGTERM, and then after SIGKILL."""


def tied(command: list[str]) -> list[str]:
    """The command, asked to end (SIGTERM) by the kernel when its parent dies, however that happens.

    See PR_SET_PDEATHSIG in prctl(2), and setpriv(1).
    """
    return ["setpriv", "--pdeathsig", "TERM", "--", *command]


def begin(command: list[str]) -> int:
    """Start it out of reach of the terminal's signals, and hand it those that this process gets."""
    # Until the handler knows whom to tell, they wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    file = shutil.which(command[0]) or command[0]
    pid = os.posix_spawn(file, command, os.environ, setsid=True, setsigmask=())

    def hand_on(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            # To supervisord SIGHUP means to start everything anew.
            os.kill(pid, signal.SIGTERM if number == signal.SIGHUP else number)

    for number in ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, hand_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    return pid


def wait_for(pid: int) -> int:
    """Reap until this child ends; its exit code, negative for a signal."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def gone(seconds: float) -> bool:
    """Reap until no child is left, at most so long; whether none is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if not pid:
            time.sleep(0.01)
    return False


def end_rest() -> None:
    """End what has outlived supervisord: it or a service was killed."""
    for number, seconds in ((signal.SIGTERM, TERMINATE), (signal.SIGKILL, KILL)):
        if gone(0):
            return
        for pid in offspring():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if gone(seconds):
            return


def offspring() -> list[int]:
    """Every process that descends from this one."""
    # Only now: it is megabytes, and most stations end without it.
    import psutil

    return [child.pid for child in psutil.Process().children(recursive=True)]


def append() -> None:
    """Let a log file grow only: supervisord opens it once more for every program."""
    for number in (1, 2):
        with suppress(OSError):  # one that is closed
            flags = fcntl.fcntl(number, fcntl.F_GETFL)
            fcntl.fcntl(number, fcntl.F_SETFL, flags | os.O_APPEND)


def main() -> None:
    """Run supervisord with the configuration that the command line names, and what it starts."""
    append()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    program = str(Path(sys.executable).with_name("supervisord"))
    code = wait_for(begin(tied([program, "-c", sys.argv[1]])))
    if code < 0:
        name = signal.Signals(-code).name
        sys.stderr.write(f"station: supervisord was ended by {name}, so everything ends\n")
    end_rest()
    sys.exit(code if code >= 0 else 1)


if __name__ == "__main__":
    main()
