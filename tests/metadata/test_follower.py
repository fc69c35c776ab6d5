"""Following real files that another process writes and holds open."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from metadata.follower import WIDE_WINDOW, WINDOW, Follower

Tell = Callable[[str], None]
Encode = Callable[[Path], Tell]
FORMS = pytest.mark.parametrize("form", ["json", "txt"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "csi.metadata.json"


@pytest.fixture
def follow() -> Iterator[Callable[..., Follower]]:
    followers = []

    def start(path: Path, skip: bool = False) -> Follower:
        followers.append(Follower(path, "txt" if path.suffix == ".txt" else "json", skip))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


Follow = Callable[..., Follower]


def lux(follower: Follower) -> object:
    news = follower.poll()
    return news.fields["Lux"] if news else None


def disk(path: Path) -> int:
    return path.stat().st_blocks * 512


def bytes_read() -> int:
    """By this process with read and its like, since it began (proc_pid_io(5))."""
    return int(Path("/proc/self/io").read_text().split()[1])


@FORMS
def test_yields_the_newest_record_once(
    tmp_path: Path, encode: Encode, follow: Follow, form: str
) -> None:
    path = tmp_path / f"csi.metadata.{form}"
    tell = encode(path)
    follower = follow(path)
    assert lux(follower) is None
    tell("frames 3")
    assert lux(follower) == 3
    assert lux(follower) is None
    tell("frames 1")
    assert lux(follower) == 4


@FORMS
def test_half_a_record_yields_the_one_before_it_and_never_twice(
    tmp_path: Path, encode: Encode, follow: Follow, form: str
) -> None:
    path = tmp_path / f"csi.metadata.{form}"
    tell = encode(path)
    follower = follow(path)
    tell("frames 2")
    tell("half")
    assert lux(follower) == 2
    tell("raw 20")
    assert lux(follower) is None


def test_the_braces_that_come_later_make_nothing_new(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path)
    tell("frames 2")
    assert lux(follower) == 2
    tell("exit")
    assert path.read_text().endswith("}\n]\n")
    assert lux(follower) is None


def test_the_time_of_writing_is_the_files(path: Path, encode: Encode, follow: Follow) -> None:
    tell = encode(path)
    tell("frames 2")
    news = follow(path).poll()
    assert news is not None
    assert news.written == path.stat().st_mtime


def test_what_was_there_before_the_service_is_skipped(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    tell("frames 3")
    follower = follow(path, skip=True)
    assert lux(follower) is None
    tell("frames 1")
    assert lux(follower) == 4


def test_nothing_is_skipped_of_a_file_that_held_no_record(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path, skip=True)
    assert lux(follower) is None
    tell("frames 1")
    assert lux(follower) == 1


@pytest.mark.parametrize("order", ["truncate", "recreate"])
def test_an_encoder_that_starts_again_is_followed(
    path: Path, encode: Encode, follow: Follow, order: str
) -> None:
    tell = encode(path)
    follower = follow(path)
    tell("frames 50")
    assert lux(follower) == 50
    tell(order)
    assert lux(follower) is None
    tell("frames 1")
    assert lux(follower) == 51
    tell(order)
    tell("frames 200")
    assert lux(follower) == 251


def test_a_copy_with_the_old_records_is_nothing_new(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path)
    tell("frames 50")
    tell("exit")
    assert lux(follower) == 50
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes()[-5000:])
    copy.rename(path)
    assert lux(follower) is None


def test_rubbish_is_passed_over(path: Path, encode: Encode, follow: Follow) -> None:
    tell = encode(path)
    follower = follow(path)
    tell("frames 2")
    tell("raw 007d0a7b22ff0a7d0a")
    assert lux(follower) == 2
    tell("frames 2")
    assert lux(follower) == 4
    assert follower.problem is None


def test_a_file_of_rubbish_is_reported_until_a_record_comes(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path)
    tell("frames 1")
    assert lux(follower) == 1
    with path.open("ab") as file:
        file.write(b"rubbish " * (2 * WIDE_WINDOW // 8))
    assert lux(follower) is None
    assert follower.problem == "csi.metadata.json grows, but its end holds no json record"
    tell(f"seek {path.stat().st_size}")
    tell("frames 1")
    assert lux(follower) == 2
    assert follower.problem is None


def test_a_look_reads_no_more_of_a_large_file_than_of_a_small_one(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path, skip=True)
    tell("megabytes 20")
    follower.poll()
    tell("megabytes 20")
    before = bytes_read()
    assert follower.poll() is not None
    assert bytes_read() - before < WINDOW + 1000


def test_the_disk_gets_back_what_was_read_while_the_encoder_writes_on(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path)
    most = 0
    for _ in range(15):
        tell("megabytes 3")
        most = max(most, disk(path))
        assert lux(follower) is not None
        most = max(most, disk(path))
    assert path.stat().st_size > 44_000_000
    assert most < 10_000_000
    assert disk(path) < 4_500_000
    tell("frames 1")
    assert lux(follower) is not None
    assert follower.problem is None


def test_a_large_file_that_the_service_finds_is_given_back(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    tell("megabytes 40")
    assert disk(path) > 30_000_000
    follow(path, skip=True).poll()
    assert disk(path) < 2_000_000


def test_follows_and_gives_back_beyond_four_gigabytes(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path)
    tell(f"seek {5_000_000_000}")
    tell("frames 3")
    assert lux(follower) == 3
    tell("megabytes 6")
    assert lux(follower) is not None
    assert path.stat().st_size > 5_000_000_000
    assert disk(path) < 2_000_000


def test_says_that_it_may_not_give_back_and_follows_all_the_same(
    ordinary_user: Path, drop_rights: Callable[[], None], encode: Encode, follow: Follow
) -> None:
    path = ordinary_user / "csi.metadata.json"
    tell = encode(path)
    path.chmod(0o444)
    drop_rights()
    follower = follow(path)
    tell("megabytes 5")
    assert lux(follower) is not None
    assert follower.problem is not None
    assert "csi.metadata.json cannot be given back to the disk: " in follower.problem


def test_a_link_is_refused_since_another_file_would_lose_its_content(
    tmp_path: Path, path: Path, follow: Follow
) -> None:
    (tmp_path / "precious").write_text("x")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"):
        follow(path).poll()


def test_a_pipe_is_refused_and_blocks_nothing(path: Path, follow: Follow) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        follow(path).poll()


def test_records_are_whole_and_in_order_while_the_encoder_writes(
    path: Path, encode: Encode, follow: Follow
) -> None:
    tell = encode(path)
    follower = follow(path)
    writing = threading.Thread(target=tell, args=["megabytes 10"])
    writing.start()
    seen = []
    while writing.is_alive():
        if news := follower.poll():
            assert len(news.fields) == 6
            seen.append(int(str(news.fields["SensorTimestamp"])))
    writing.join()
    assert len(seen) > 10
    assert seen == sorted(set(seen))
