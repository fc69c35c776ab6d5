"""`python -m relay create-ingress`: makes the ingress of LiveKit that a relay pushes to, once."""

import argparse
import asyncio
import sys
from pathlib import Path

import bus.settings
from bus.livekit import Livekit
from bus.settings import SettingsError

COMMAND = "create-ingress"
ABOUT = """Makes an ingress of LiveKit, or finds the one of that name, and writes its address and
stream key to a file that only its owner can read: relay.<name>.stream_key_file takes it. The key is
never shown. Where LiveKit is and its API key are settings: [livekit] api_url, key, secret_file."""
CODES = """exit codes: 0 done; 1 a setting is missing or wrong; 2 wrong command line;
3 LiveKit cannot be reached; 4 LiveKit refuses; 5 the file cannot be written;
6 an ingress of that name exists for another room or protocol"""


class Settings(bus.settings.Settings):
    """What the command reads."""

    livekit: Livekit = Livekit()


def main(arguments: list[str]) -> int:
    """The command; its exit code."""
    options = command_line(arguments)
    try:
        settings = bus.settings.load(Settings).livekit
        settings.signing()
    except SettingsError as error:
        return fail(1, str(error))
    except OSError as error:
        return fail(1, f"livekit.secret_file: {error}")
    except ValueError as error:
        return fail(1, str(error))
    return asyncio.run(create(settings, options))


def command_line(arguments: list[str]) -> argparse.Namespace:
    """What to make, and where to leave it."""
    parser = argparse.ArgumentParser(
        prog=f"python -m relay {COMMAND}", description=ABOUT, epilog=CODES
    )
    parser.add_argument("--room", required=True, help="the room, such as csi_camera")
    parser.add_argument("--name", required=True, help="its name, by which it is found again")
    parser.add_argument("--out", required=True, type=Path, help="the file for address and key")
    parser.add_argument(
        "--protocol",
        choices=("whip", "rtmp"),
        default="whip",
        help="whip goes through untouched; LiveKit transcodes rtmp (default: whip)",
    )
    return parser.parse_args(arguments)


async def create(settings: Livekit, options: argparse.Namespace) -> int:
    """Make or find it, and write the file; the exit code."""
    # Protobuf and aiohttp take 20 MB, which a relay that only relays does not need.
    from . import livekit

    try:
        found, made = await livekit.provide(settings, options.protocol, options.name, options.room)
    except livekit.Unreachable as error:
        return fail(3, f"LiveKit cannot be reached: {error}")
    except livekit.Refused as error:
        return fail(4, f"LiveKit refuses: {error}")
    except livekit.Different as error:
        return fail(6, str(error))
    try:
        found.write(options.out)
    except OSError as error:
        return fail(5, f"{options.out}: {error.strerror}")
    what = "made" if made else "found"
    sys.stdout.write(
        f"{what} ingress {found.name} ({found.ingress_id}) of room {found.room}; its relay:\n"
        f'url = "{found.url}"\nstream_key_file = "{options.out.absolute()}"\n'
    )
    return 0


def fail(code: int, why: str) -> int:
    """One line for each mistake, and the exit code."""
    for line in why.splitlines():
        sys.stderr.write(f"{COMMAND}: {line}\n")
    return code
