"""How fast the motor stops, from outside: `python benchmarks/stepper.py`.

The stepper service runs with simulated pins, whose edges are written to a file with the monotonic
clock that every process shares. Stop: from the publish to the last step and to ENABLE off. Dead
man: from the last renewal that was sent. Kill: from SIGKILL of the service.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import Broker, Service, starter, wait_until
from motor import ENABLE, Remote, Trace

SETTINGS = {
    "BEEPER_STEPPER__ENABLED": "true",
    "BEEPER_STEPPER__DRIVER": "simulated",
    "BEEPER_STEPPER__MAXIMUM": "1000000",
}
WAYS = ("stop", "dead man", "kill")


def begin(remote: Remote, trace: Trace) -> None:
    """A movement in full speed."""
    wait_until(remote.enables, "enabled")
    assert remote.ask("home").accepted
    before = len(trace.pulses())
    assert remote.ask("move", steps=5000, rpm=60).accepted
    wait_until(lambda: len(trace.pulses()) > before + 20, "it moves")


def measure(trace: Trace, end: Callable[[], float]) -> tuple[float, float]:
    """ms from the end of the movement's reason to the last step, and to ENABLE off."""
    began = end()
    wait_until(lambda: not trace.enabled, "ENABLE is off")
    off = next(e.at for e in trace.edges() if e.at > began and e.pin == ENABLE and e.level)
    last = max((at for at in trace.pulses() if at < off), default=began)
    return max(0.0, last - began) * 1000, (off - began) * 1000


def stop(remote: Remote) -> float:
    """Press Stop, as web would."""
    command = remote.command("stop", nonce="none")
    began = time.monotonic()
    remote.send(command)
    return began


def fall_silent(remote: Remote) -> float:
    """Renew no more."""
    remote.holds = False
    return time.monotonic()


def kill(service: Service) -> float:
    """End the service as the kernel would."""
    began = time.monotonic()
    os.kill(service.process.pid, signal.SIGKILL)
    return began


def main() -> None:
    """Measure each way a few times and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="of each way")
    times = parser.parse_args().times
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trace = Trace(folder / "edges")
        (folder / "mosquitto").mkdir()
        broker = Broker(folder / "mosquitto")
        broker.start()
        with starter(broker, folder) as start, Remote(broker.port) as remote:
            service = start("stepper", BEEPER_STEPPER__TRACE=str(trace.path), **SETTINGS)
            for way in WAYS:
                for _ in range(times):
                    remote.holds = True
                    begin(remote, trace)
                    if way == "stop":
                        found[way].append(measure(trace, lambda: stop(remote)))
                    elif way == "dead man":
                        found[way].append(measure(trace, lambda: fall_silent(remote)))
                    else:
                        found[way].append(measure(trace, lambda: kill(service)))  # noqa: B023
                        service.process.wait(10)
                        service = start(
                            "stepper", BEEPER_STEPPER__TRACE=str(trace.path), **SETTINGS
                        )
        broker.stop()
    print(f"{'':10}{'last step, ms':>26}{'ENABLE off, ms':>26}")
    for way, pairs in found.items():
        steps, offs = zip(*pairs, strict=True)
        columns = [f"median {median(v):7.1f}, most {max(v):7.1f}" for v in (steps, offs)]
        print(f"{way:10}{columns[0]:>30}{columns[1]:>30}")


if __name__ == "__main__":
    main()
