"""The life of a service: settings, announce, work, goodbye. Written once."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from importlib import metadata
from typing import NoReturn, TypeVar

from . import reference, wall_clock, watchdog
from . import settings as configuration
from .address import hide_logins
from .client import Bus
from .settings import Settings, SettingsError

S = TypeVar("S", bound=Settings)
Work = Callable[[Bus, S, str], Awaitable[None]]

log = logging.getLogger(__name__)

GOODBYE = 2.0
"""Seconds that a service has for its own ending, so that the whole takes less than 3."""


def main(
    service: str,
    kind: type[S],
    work: Work[S],
    *,
    takes: str | None = None,
    known: Callable[[S], Iterable[str]] | None = None,
    dated: bool = False,
) -> None:
    """Run `python -m <service>` until SIGTERM or Ctrl-C.

    `work(bus, settings, name)` is the service; it is cancelled to end it. With `takes` the command
    line names what the instance is for (`python -m camera csi` is the instance `camera-csi`), one
    of those that are `known` to the settings; else `name` is an optional suffix that tells replicas
    apart (`python -m web 2` is `web-2`).
    `dated` services keep what has a date: they note the time on the disk, and say when it is wrong.
    SettingsError from the work is one line in the log, any other error a traceback.
    Exit code: 0 stopped, 1 wrong settings or failed work, 2 wrong command line.
    """
    options = command_line(service, work.__doc__ or "", takes)
    name: str = options.name or ""
    try:
        settings = configuration.load(kind)
        if options.show_settings:
            sys.stdout.write(configuration.show(settings) + "\n")
            return
        if options.explain_settings:
            sys.stdout.write(reference.toml(settings, shared=options.explain_settings == "all"))
            return
        settings.mqtt.secret()
        if known and name not in (names := list(known(settings))):
            raise SettingsError(f"there is no {takes} {name!r}; configured: {', '.join(names)}")
    except SettingsError as error:
        sys.exit("\n".join(f"{service}: {line}" for line in str(error).splitlines()))
    except OSError as error:
        sys.exit(f"{service}: mqtt.password_file: {error}")
    instance = f"{service}-{name}" if name else service
    log_to_stderr(instance, settings.log_level)
    if not dated:
        logging.getLogger(wall_clock.__name__).setLevel(logging.ERROR)
    wall_clock.CLOCK.begin(settings.clock, settings.state_dir / wall_clock.FILE, keeps=dated)
    whole = live(instance, settings, lambda bus: work(bus, settings, name), service, dated)
    leave(asyncio.run(whole))


def leave(code: int) -> NoReturn:
    """End the process at once: Python would take everything apart first, and wait for threads."""
    logging.shutdown()
    os._exit(code)


def command_line(service: str, about: str, takes: str | None) -> argparse.Namespace:
    """The same few options for every service."""
    parser = argparse.ArgumentParser(prog=f"python -m {service}", description=about)
    if takes:
        parser.add_argument("name", nargs="?", metavar=takes, help=f"which {takes}")
    else:
        parser.add_argument("name", nargs="?", help="suffix of a replica, such as 2")
    parser.add_argument(
        "--show-settings", action="store_true", help="print what is in force, secrets hidden"
    )
    parser.add_argument(
        "--explain-settings",
        nargs="?",
        const="all",
        choices=("all", "own"),
        help="print them as commented TOML; `own` leaves out what every service has",
    )
    options = parser.parse_args()
    if takes and not (options.name or options.show_settings or options.explain_settings):
        parser.error(f"say which {takes}, such as: python -m {service} csi")
    return options


def log_to_stderr(instance: str, level: str) -> None:
    """One line an event, with the instance's name, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    form = f"%(asctime)s {instance} %(levelname)s %(message)s"
    handler.setFormatter(Discreet(form, datefmt="%H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for library in ("httpx", "httpcore"):
        # They log each request's address, in whose path there may be a key.
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))


class Discreet(logging.Formatter):
    """Leaves user, password and query out of every address, also of those in a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        return hide_logins(super().format(record))


async def live(
    instance: str,
    settings: Settings,
    work: Callable[[Bus], Awaitable[None]],
    package: str,
    dated: bool = False,
) -> int:
    """Announce, work, say goodbye; the exit code."""
    bus = Bus(settings, instance, metadata.version(package))
    presence = asyncio.create_task(bus.run())
    alive = asyncio.create_task(watchdog.reassure())
    clock = asyncio.create_task(watch_clock(bus, dated))
    job = asyncio.ensure_future(work(bus))
    stop = stop_signal()
    await asyncio.wait((presence, job, stop), return_when=asyncio.FIRST_COMPLETED)
    failed = await end(job)
    if presence.done():
        failed = presence.exception() or failed
    else:
        await end(presence)
    await end(alive)
    await end(clock)
    wall_clock.CLOCK.close()
    if isinstance(failed, SettingsError):
        log.error("%s", failed)
        return 1
    if failed:
        log.error("ended by an error", exc_info=failed)
        return 1
    log.info("stopped")
    return 0


async def watch_clock(bus: Bus, dated: bool) -> None:
    """Look at the clock each second, for ever; with `dated` the status says what is wrong."""
    while True:
        wall_clock.CLOCK.sample()
        if dated:
            bus.problem("clock", wall_clock.CLOCK.problem())
        await asyncio.sleep(1)


def stop_signal() -> "asyncio.Future[None]":
    """Done at the first SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: None if stop.done() else stop.set_result(None))
    return stop


async def end(task: "asyncio.Future[None]") -> BaseException | None:
    """Cancel what still runs and wait for it, not for ever; what it failed with, if it did."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        done, _ = await asyncio.wait((task,), timeout=GOODBYE)
        if not done:
            log.warning("did not end within %g s", GOODBYE)
            return None
        if not task.cancelled():
            return task.exception()
    return None
