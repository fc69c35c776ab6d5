"""The process that runs picamera2: `python -m camera.sensor` writes access units to stdout.

Each is a header (length of the unit in bytes, sensor time in µs of CLOCK_BOOTTIME) and the unit in
Annex B. It is handed over by the encoder's own thread as soon as it is coded.
"""

import argparse
import os
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

from .metadata_file import MetadataFile

HEADER = ">Iq"


def main() -> None:
    """Look whether there is a camera, or film until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m camera.sensor", description=__doc__)
    parser.add_argument("--look", action="store_true", help="only say what is missing")
    parser.add_argument("--camera", type=int, default=0)
    parser.add_argument("--width", type=int, default=800)
    parser.add_argument("--height", type=int, default=600)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--bitrate", type=int, default=1_500_000, help="bit/s")
    parser.add_argument("--key-interval", type=float, default=1, help="s")
    parser.add_argument("--metadata", type=Path, default=Path(os.devnull))
    options = parser.parse_args()
    try:
        import picamera2
    except ImportError as error:
        sys.exit(f"the module cannot be imported: {error} (apt install python3-picamera2)")
    # libcamera lists webcams too, whose pictures it could not encode.
    attached = [c for c in picamera2.Picamera2.global_camera_info() if "/usb" not in c["Id"]]
    if not attached:
        sys.exit("it sees no camera (cable, or camera_auto_detect in config.txt?)")
    if options.camera >= len(attached):
        sys.exit(f"there is no camera {options.camera}: it sees {len(attached)}, from 0 on")
    if not options.look:
        film(picamera2.Picamera2(attached[options.camera]["Num"]), options)


def film(camera: Any, options: argparse.Namespace) -> None:
    """Configure, and film until the process is ended."""
    from picamera2.encoders import H264Encoder

    duration = round(1_000_000 / options.fps)
    size = (options.width, options.height)
    # A fixed rate: it then does not fall in the dark, nor do counted key frames stretch.
    controls = {"FrameDurationLimits": (duration, duration)}
    main = {"format": "YUV420", "size": size}
    camera.configure(camera.create_video_configuration(main=main, controls=controls))
    period = max(1, round(options.key_interval * options.fps))
    # On a Pi 5 the same name is the software encoder.
    encoder = H264Encoder(bitrate=options.bitrate, repeat=True, iperiod=period, profile="baseline")
    encoder.framerate = options.fps
    if hasattr(encoder, "threads"):
        # It lets x264 work on several frames at once, which keeps back one frame for each thread.
        encoder.threads = 1
    metadata = MetadataFile(options.metadata)
    camera.pre_callback = lambda request: metadata.write(request.get_metadata())
    camera.start_recording(encoder, handover(encoder))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        time.sleep(3600)


def handover(encoder: Any) -> Any:
    """An output that writes each access unit to stdout in one piece.

    picamera2 counts time from its first frame, whose sensor time the encoder remembers.
    """
    from picamera2.outputs import Output

    class Handover(Output):  # type: ignore[misc]
        def outputframe(
            self,
            frame: bytes,
            keyframe: bool = True,
            timestamp: int | None = None,
            packet: object = None,
            audio: bool = False,
        ) -> None:
            if timestamp is not None and not audio:
                taken = (encoder.firsttimestamp or 0) + timestamp
                write(struct.pack(HEADER, len(frame), taken) + bytes(frame))

    return Handover()


def write(data: bytes) -> None:
    """All of it to stdout, past Python's buffer."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


if __name__ == "__main__":
    main()
