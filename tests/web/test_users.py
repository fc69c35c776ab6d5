"""The password file and the command that keeps it."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import argon2
import pytest
from web.passwords import MEMORY_KIB, Passwords, read


def users(
    folder: Path, *words: str, password: str = "correct horse"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "web.users", *words],
        input=f"{password}\n",
        env={"BEEPER_STATE_DIR": str(folder), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_users_are_added_listed_and_removed(tmp_path: Path) -> None:
    assert users(tmp_path, "add", "bob").returncode == 0
    assert users(tmp_path, "add", "olga").returncode == 0
    assert users(tmp_path, "list").stdout == "bob\nolga\n"
    path = tmp_path / "users"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "correct horse" not in path.read_text()
    before = read(path)["bob"]
    assert users(tmp_path, "add", "bob", password="another password").returncode == 0
    assert read(path)["bob"] != before
    assert users(tmp_path, "remove", "bob").returncode == 0
    assert list(read(path)) == ["olga"]
    assert [p.name for p in tmp_path.iterdir()] == ["users"]


def test_without_words_it_says_who_there_is_and_how_to_change_that(tmp_path: Path) -> None:
    nobody = users(tmp_path)
    assert nobody.returncode == 0 and "nobody signs in" in nobody.stdout
    users(tmp_path, "add", "bob")
    somebody = users(tmp_path)
    assert ": bob\n" in somebody.stdout
    for example in ("make user NAME=bob", "make user ACTION=remove NAME=bob", "operators"):
        assert example in nobody.stdout and example in somebody.stdout


@pytest.mark.parametrize("action", ["add", "remove"])
def test_a_missing_name_is_answered_with_examples(tmp_path: Path, action: str) -> None:
    said = users(tmp_path, action)
    assert said.returncode == 2 and f"whom to {action}?" in said.stderr
    assert "make user NAME=bob" in said.stderr


@pytest.mark.parametrize(
    ("words", "password", "said"),
    [
        (("add", "b:b"), "correct horse", "no user's name"),
        (("add", "local-10.0.0.1"), "correct horse", "no user's name"),
        (("add", "bob"), "short", "8 to 1024 characters"),
        (("remove", "nobody"), "", "there is no user nobody"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, words: tuple[str, ...], password: str, said: str
) -> None:
    answer = users(tmp_path, *words, password=password)
    assert answer.returncode == 1
    assert said in answer.stderr and answer.stderr.count("\n") == 1


def test_a_verification_takes_at_most_19_mib_and_one_at_a_time(tmp_path: Path) -> None:
    users(tmp_path, "add", "bob")
    about = argon2.extract_parameters(read(tmp_path / "users")["bob"])
    assert about.type is argon2.Type.ID
    assert about.memory_cost <= 19 * 1024 == MEMORY_KIB and about.parallelism == 1


async def test_two_verifications_are_never_made_at_once(tmp_path: Path) -> None:
    passwords = Passwords(tmp_path / "users")
    await asyncio.to_thread(users, tmp_path, "add", "bob")
    running, most = 0, 0
    check = passwords._check

    def counting(known: str | None, password: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        right = check(known, password)
        running -= 1
        return right

    passwords._check = counting  # type: ignore[method-assign]
    tries = [passwords.verify("bob", word) for word in ("correct horse", "wrong", "correct horse")]
    tries.append(passwords.verify("nobody", "correct horse"))
    assert await asyncio.gather(*tries) == [True, False, True, False]
    assert most == 1


@pytest.mark.parametrize(
    "line",
    [
        "bob:correct horse",
        "bob:",
        "bob",
        "bob:$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "bob:$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "local-10.0.0.1:$argon2id$v=19$m=16,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    ],
)
def test_a_file_that_is_wrong_lets_nobody_in_and_says_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "users"
    path.write_text(f"# users\n\n{line}\n")
    with pytest.raises(ValueError, match="line 3"):
        read(path)
    assert Passwords(path).users == {}
