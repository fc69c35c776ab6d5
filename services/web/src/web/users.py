"""`python -m web.users`, and `make user`: who may sign in with a password."""

import argparse
import getpass
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bus.settings import SettingsError, load

from .passwords import HASHER, MAX_PASSWORD, check_name, read, write
from .settings import Settings, password_file

SHORTEST = 8
HOW = """\
add one, or change a password:  make user NAME=bob
take one out:                   make user ACTION=remove NAME=bob
who there is:                   make user
let one steer and delete:       operators = ["bob"] below [access] in beeper.toml
"""


def main() -> None:
    """Add, remove or list users; web notices by itself."""
    options = command_line()
    try:
        path = password_file(settings_with(options.state_dir))
        users = read(path) if path.exists() else {}
        if options.action is None:
            sys.stdout.write("".join(overview(path, users)))
        elif options.action == "list":
            sys.stdout.writelines(f"{name}\n" for name in sorted(users))
        elif options.action == "add":
            check_name(options.name)
            write(path, users | {options.name: HASHER.hash(ask(options.name))})
            sys.stdout.write(f"{options.name} may sign in ({path})\n")
        else:
            remove(path, users, options.name)
    except (SettingsError, ValueError, OSError) as error:
        sys.exit(f"users: {error}")


def command_line() -> argparse.Namespace:
    """What to do with whom."""
    parser = argparse.ArgumentParser(
        prog="python -m web.users",
        description="Users who sign in with a password. It is asked for, or read from stdin.",
        epilog=HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state-dir", type=Path, help="state_dir, unless the settings name one")
    actions = parser.add_subparsers(dest="action", metavar="add | remove | list")
    for action, about in (("add", "add a user, or change the password"), ("remove", "remove one")):
        actions.add_parser(action, help=about).add_argument("name", nargs="?")
    actions.add_parser("list", help="the names")
    options = parser.parse_args()
    if options.action in ("add", "remove") and not options.name:
        parser.error(f"whom to {options.action}?\n{HOW}")
    return options


def overview(path: Path, users: Iterable[str]) -> Iterator[str]:
    """Who there is, and how to change that."""
    names = sorted(users)
    yield f"{path}: {', '.join(names) if names else 'nobody signs in with a password yet'}\n"
    yield HOW


def settings_with(state_dir: Path | None) -> Settings:
    """The settings of web, with another default for its state; raises SettingsError."""
    settings = load(Settings)
    if state_dir is None or "state_dir" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"state_dir": state_dir})


def ask(name: str) -> str:
    """A new password; raises ValueError when it is too short or mistyped."""
    if sys.stdin.isatty():
        password = getpass.getpass(f"password of {name}: ")
        if getpass.getpass("once more: ") != password:
            raise ValueError("these are two different passwords")
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not SHORTEST <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"a password has {SHORTEST} to {MAX_PASSWORD} characters")
    return password


def remove(path: Path, users: dict[str, str], name: str) -> None:
    """Take a user out of the file; sessions of that user end at once."""
    if name not in users:
        raise ValueError(f"there is no user {name}")
    write(path, {other: users[other] for other in users if other != name})
    sys.stdout.write(f"{name} may not sign in any more ({path})\n")


if __name__ == "__main__":
    main()
