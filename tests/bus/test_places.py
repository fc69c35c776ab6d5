"""Who gets a place, and who gives way, once they become scarce."""

import logging

import pytest
from bus.places import ANONYMOUS, OPERATOR, SIGNED_IN, FullError, Holder, Place, Places

SCHOOL, HOME, OTHER = Holder("203.0.113.7"), Holder("198.51.100.1"), Holder("192.0.2.1")
USER, CHIEF = Holder("password:bob", SIGNED_IN), Holder("password:olga", OPERATOR)


class Room:
    """Places, and whose were taken away."""

    def __init__(self, most: int) -> None:
        self.places = Places(most, "tests")
        self.lost: list[str] = []

    def take(self, holder: Holder, count: int = 1) -> list[Place]:
        return [
            self.places.take(holder, lambda: self.lost.append(holder.name)) for _ in range(count)
        ]

    def full_for(self, holder: Holder) -> bool:
        """Whether somebody is refused; whoever is not has a place then."""
        try:
            self.take(holder)
        except FullError:
            return True
        return False

    def fill(self, count: int) -> None:
        """As many addresses, with a place each."""
        for number in range(count):
            self.take(Holder(f"10.0.{number >> 8}.{number & 255}"))


@pytest.mark.parametrize("most", [1, 2, 3, 10, 32, 1000])
def test_below_four_fifths_nobody_is_refused(most: int) -> None:
    room = Room(most)
    room.take(SCHOOL, -(-most * 4 // 5))
    assert not room.lost


def test_above_it_whoever_has_its_share_gets_no_more_and_others_do() -> None:
    room = Room(10)
    room.take(SCHOOL, 8)
    assert room.full_for(SCHOOL)
    assert not room.full_for(HOME) and not room.full_for(OTHER)
    assert len(room.places) == 10 and not room.lost


def test_when_all_are_taken_the_holder_of_most_gives_way() -> None:
    room = Room(10)
    room.take(SCHOOL, 8)
    room.take(HOME, 2)
    room.take(OTHER)
    assert room.lost == [SCHOOL.name] and len(room.places) == 10


def test_it_is_the_newest_that_is_lost() -> None:
    places, lost = Places(4, "tests"), list[int]()
    for number in range(3):
        places.take(SCHOOL, lambda n=number: lost.append(n))  # type: ignore[misc]
    places.take(HOME, lambda: lost.append(-1))
    places.take(OTHER, lambda: lost.append(-2))
    assert lost == [2]


def test_nobody_gives_way_to_whoever_would_then_hold_as_many() -> None:
    room = Room(10)
    room.fill(10)
    assert room.full_for(HOME) and not room.lost


def test_a_crowd_of_one_address_each_does_not_keep_those_who_signed_in_out() -> None:
    room = Room(20)
    room.fill(19)
    assert room.full_for(HOME), "a place is kept"
    assert not room.full_for(USER)
    assert len(room.lost) == 1
    assert not room.full_for(CHIEF)


def test_operators_come_before_those_who_signed_in() -> None:
    room = Room(10)
    for number in range(10):
        room.take(Holder(f"password:{number}", SIGNED_IN))
    assert room.full_for(USER) and not room.full_for(CHIEF)
    assert len(room.lost) == 1


def test_one_person_does_not_take_all_by_signing_in() -> None:
    room = Room(10)
    room.fill(8)
    taken = 0
    while not room.full_for(USER):
        taken += 1
    assert 1 <= taken <= 3


def test_thieves_come_and_go_and_the_count_is_right() -> None:
    room = Room(10)
    mine = room.take(SCHOOL, 8)
    room.take(HOME, 2)
    room.take(OTHER)
    for place in mine:
        room.places.leave(place)
        room.places.leave(place)
    assert len(room.places) == 3
    with pytest.raises(ZeroDivisionError), room.places.held(HOME, lambda: None):
        assert len(room.places) == 4
        raise ZeroDivisionError
    assert len(room.places) == 3


def test_scarcity_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    room = Room(10)
    room.take(SCHOOL, 8)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert room.full_for(SCHOOL)
    assert len(caplog.records) == 1 and SCHOOL.name in caplog.text
    assert ANONYMOUS < SIGNED_IN < OPERATOR
