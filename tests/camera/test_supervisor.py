"""How long the camera waits before it starts a source again."""

import asyncio

import pytest
from camera import supervisor
from camera.settings import Camera
from camera.source import SourceError
from camera.supervisor import Watch, supervise


class OverError(Exception):
    """The test has seen enough."""


async def test_pauses_grow_and_are_forgotten_after_a_good_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = [0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0]
    pauses: list[float] = []
    now = 1000.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        pauses.append(seconds)

    async def attempt(watch: Watch) -> None:
        nonlocal now
        if not runs:
            raise OverError
        watch.delivered()
        now += runs.pop(0)
        watch.delivered()
        raise SourceError("it ended")

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(supervisor, "boottime", lambda: now)
    camera = Camera(backoff_min=1, backoff_max=6, good_run=7)
    said: list[str] = []
    with pytest.raises(OverError):
        await supervise(camera, attempt, "frame", said.append)
    assert pauses == [1, 2, 4, 6, 6, 1, 2]
    assert said == ["it ended"] * 7
