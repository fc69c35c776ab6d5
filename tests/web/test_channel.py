"""What goes wrong with one viewer is no matter for the others."""

import errno
import logging
import socket
from typing import Any, cast

import pytest
from bus.each import tell_each
from web.wire import Wire


def test_one_that_fails_is_dropped_and_the_rest_are_told(caplog: pytest.LogCaptureFixture) -> None:
    told, dropped = list[str](), list[str]()

    def tell(name: str) -> None:
        if name == "gone":
            raise OSError(errno.EBADF, "Bad file descriptor")
        told.append(name)

    members = {"first": None, "gone": None, "last": None}
    with caplog.at_level(logging.ERROR):
        tell_each(members, tell, dropped.append)
    assert told == ["first", "last"] and dropped == ["gone"]
    assert "Bad file descriptor" in caplog.text


def test_members_may_come_and_go_while_they_are_told() -> None:
    members = {"one": None, "two": None}
    tell_each(members, lambda name: members.pop(name), lambda name: None)
    assert not members


def test_the_distance_of_a_closed_socket_is_none() -> None:
    class Transport:
        def get_extra_info(self, _name: str) -> socket.socket:
            return closed

    closed = socket.socket()
    closed.close()
    wire = Wire.__new__(Wire)
    wire.transport = cast(Any, Transport())
    assert wire.distance() == 0.0
