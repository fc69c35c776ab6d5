"""What the broker writes to disk: bytes a day with the shipped configuration, on a whole station.

python benchmarks/broker_disk.py --seconds 150
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import wait_until
from whole import Station

DAY = 86_400


def written(pid: int) -> int:
    """Bytes that a process has caused to be written to the block layer (proc(5), io)."""
    return int(psutil.Process(pid).io_counters().write_bytes)


def measure(seconds: float) -> float:
    """Bytes a second that Mosquitto writes while a simulated station runs."""
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=Path.cwd()) as folder:
        station = Station(Path(folder))
        try:
            station.wait_ready()
            database = Path(folder) / "run/mosquitto/data/sessions.db"
            wait_until(database.exists, "the broker has saved once", 90)
            pid = station.pid("mosquitto")
            assert pid
            before, began = written(pid), time.monotonic()
            time.sleep(seconds)
            rate = (written(pid) - before) / (time.monotonic() - began)
            print(f"sessions.db: {database.stat().st_size / 1000:.0f} kB")
            return rate
        finally:
            station.close()


def main() -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    rate = measure(options.seconds)
    print(f"written by the broker: {rate * DAY / 1e6:.1f} MB a day")


if __name__ == "__main__":
    main()
