"""Writes a camera to RTSP or RTMP: `python -m relay.writer`, a child process of the relay.

stdin: messages, each behind its length in four bytes: the order as JSON, the CMAF header of each
track, then fragments. stdout: a line of JSON when the target has taken the connection (`opened`),
whenever it has acknowledged bytes (`accepted`, since the last time), and why it ended (`error`).
"""

import json
import os
import struct
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

import av

from .acknowledged import Acknowledged
from .output import Output

LOOK = 0.1
"""Seconds between two looks at what was acknowledged."""


def say(**facts: Any) -> None:
    """One line to the relay; without a relay there is nothing left to do."""
    try:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)


def messages(pipe: BinaryIO) -> Iterator[bytes]:
    """What the relay sends, until it closes the pipe."""
    while len(head := pipe.read(4)) == 4:
        yield pipe.read(struct.unpack(">I", head)[0])


def watch(send_buffer: int, stop: threading.Event) -> None:
    """Say what was acknowledged, also while the main thread is stuck in a write."""
    acknowledged = Acknowledged(send_buffer)
    while not stop.wait(LOOK):
        # Said even when it is nothing: only so does this process notice that the relay has died.
        say(accepted=acknowledged.since_last_time())


def main() -> None:
    """Connect, then write fragments as they come."""
    stop = threading.Event()
    try:
        inbox = messages(sys.stdin.buffer)
        order = json.loads(next(inbox))
        headers = [next(inbox) for _ in range(order["tracks"])]
        output = Output(order["url"], headers, order["aac_bitrate"])
        threading.Thread(target=watch, args=(order["send_buffer"], stop), daemon=True).start()
        output.open()
        say(opened=True)
        for fragment in inbox:
            output.write(fragment)
        output.close()
    except (av.FFmpegError, OSError, ValueError) as error:
        stop.set()
        say(error=getattr(error, "strerror", None) or str(error))
    # Not the ordinary way: FFmpeg would wait for a target that no longer answers.
    os._exit(0)


if __name__ == "__main__":
    main()
