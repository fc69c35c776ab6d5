"""What the recorder keeps when it is ended in the middle of something."""

import asyncio
import contextlib
import threading
import time
from pathlib import Path

from bus import Bus
from bus.messages import AudioLevel
from bus.topics import AUDIO
from history.recorder import Recorder
from history.settings import Settings


async def test_readings_that_wait_behind_a_long_question_survive_the_end(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    recorder = Recorder(Bus(settings, "history", "0"), settings)
    await recorder._in_thread(recorder._store.open)
    answered = threading.Event()
    question = asyncio.create_task(recorder._in_thread(answered.wait))
    await asyncio.sleep(0)
    level = AudioLevel(timestamp=time.time(), level_db=40, level_dbfs=-20, peak_dbfs=-10)
    recorder._take(AUDIO, {}, level)
    waiting = asyncio.create_task(recorder.ask(lambda store: store.unwritten))
    await asyncio.sleep(0)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    answered.set()
    await question
    assert await recorder.ask(lambda store: store.unwritten) == 1
