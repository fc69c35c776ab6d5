"""Memory and CPU of a station with two cameras at rest: `python benchmarks/memory.py`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from whole import Station


def name(process: psutil.Process) -> str:
    """What a process is, in a few words."""
    line: list[str] = process.cmdline()
    if "-m" in line:
        return " ".join(line[line.index("-m") + 1 :])
    return Path(line[1]).name if "python" in line[0] else Path(line[0]).name


def main() -> None:
    """Print proportional set size (Linux smaps) and CPU of each process, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long to watch")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Path(folder))
        try:
            station.wait_ready()
            report(station, seconds)
        finally:
            station.close()


def report(station: Station, seconds: float) -> None:
    """Watch the processes for a while and print the table."""
    family = [psutil.Process(station.process.pid), *station.family()]
    used = {process.pid: sum(process.cpu_times()[:2]) for process in family}
    time.sleep(seconds)
    sums = {"Python": 0.0, "other": 0.0}
    print(f"{'PSS MB':>8} {'% core':>7}  process      ({seconds:g} s at rest, two cameras)")
    for process in family:
        memory = process.memory_full_info().pss / 1e6
        cpu = (sum(process.cpu_times()[:2]) - used[process.pid]) / seconds * 100
        sums["Python" if "python" in process.cmdline()[0] else "other"] += memory
        print(f"{memory:8.1f} {cpu:7.1f}  {name(process)}")
    for kind, total in sums.items():
        print(f"{total:8.1f}          all {kind} processes")


if __name__ == "__main__":
    main()
