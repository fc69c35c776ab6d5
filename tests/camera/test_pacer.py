"""Live pictures go on at once; a recording at its own speed; a judgement is taken back."""

from fractions import Fraction

from camera.demuxer import Piece
from camera.pacer import Kind, Pacer, Waiting
from media.clock import boottime
from media.nut import Stream

STREAM = Stream("video", b"H264", Fraction(1, 90_000), b"")


class Pace:
    """A pacer, what came out of it, and whether it holds the reading."""

    def __init__(self, kind: Kind) -> None:
        self.given: list[tuple[float, float | None]] = []
        self.holds: list[bool] = []
        self.pacer = Pacer(kind, self._give, self.holds.append)

    def _give(self, waiting: Waiting, due: float | None) -> None:
        self.given.append((waiting.moment, due))

    def put(self, moment: float, pts: float | None = None, size: int = 100) -> None:
        piece = Piece(STREAM, moment if pts is None else pts, False, bytes(size))
        self.pacer.put(Waiting(piece, moment, moment), boottime())


async def test_a_clock_that_leaps_all_the_time_is_no_recording() -> None:
    pace = Pace("live")
    now = boottime()
    for number in range(200):
        piece = Piece(STREAM, number * 3600.0, False, b"x")
        pace.pacer.put(Waiting(piece, number / 10, number / 10), now + number)
    assert pace.pacer.kind == "live"
    assert len(pace.given) == 200


async def test_a_clock_that_is_fast_is_no_recording() -> None:
    pace = Pace("live")
    now = boottime()
    for number in range(2000):
        piece = Piece(STREAM, number * 0.26, False, b"x")
        pace.pacer.put(Waiting(piece, number / 5, number / 5), now + number / 5)
    assert pace.pacer.kind == "live"


async def test_what_is_read_too_fast_is_played_at_its_own_speed() -> None:
    pace = Pace("live")
    for number in range(400):
        pace.put(number / 10)
    assert pace.pacer.kind == "presumed"
    assert len(pace.given) < 50
    pace.pacer.close()


async def test_a_presumed_recording_that_keeps_its_reader_waiting_is_live() -> None:
    pace = Pace("live")
    for number in range(400):
        pace.put(number / 10)
    await pace.pacer.empty.wait()
    assert pace.pacer.kind == "live"
    assert [moment for moment, _ in pace.given] == [number / 10 for number in range(400)]
    pace.put(40.0)
    assert pace.given[-1] == (40.0, None)


async def test_what_fills_all_room_is_a_recording_for_good_and_reading_stops() -> None:
    pace = Pace("live")
    for number in range(100):
        pace.put(number / 10, size=400_000)
    assert pace.pacer.kind == "recording"
    assert pace.holds == [True]
    pace.pacer.close()


async def test_a_recording_is_given_at_its_times_and_reading_goes_on() -> None:
    pace = Pace("recording")
    for number in range(10):
        pace.put(number / 20, size=300_000)
    assert pace.holds == [True]
    await pace.pacer.empty.wait()
    assert pace.holds == [True, False]
    begin = pace.given[0][1] or 0.0
    assert [round((due or 0.0) - begin, 3) for _, due in pace.given] == [
        number / 20 for number in range(10)
    ]
    assert boottime() >= (pace.given[-1][1] or 0.0) - 0.01
