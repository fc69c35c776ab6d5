"""MediaMTX with the shipped configuration, between a station's relay and its page."""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

from conftest import DEADLINE, free_port
from whole import Station

CONFIGURATION = Path("mediamtx/mediamtx.yml")
SERVERS = {"rtsp": "RTSP", "hls": "HLS", "whep": "WEBRTC", "api": "API"}


@contextlib.contextmanager
def watched_through(program: Path, folder: Path, **variables: str) -> Iterator[Station]:
    """A station whose page takes WebRTC and HLS of the camera csi from MediaMTX."""
    ports = {name: free_port() for name in SERVERS}
    password = secrets.token_urlsafe()
    settings = {
        "BEEPER_WEB__MEDIA": "mediamtx",
        "BEEPER_MEDIAMTX__PASSWORD": password,
        "BEEPER_RELAY__MEDIAMTX__URL": f"rtsp://127.0.0.1:{ports['rtsp']}/csi_camera",
        "BEEPER_RELAY__MEDIAMTX__USERNAME": "relay",
        "BEEPER_RELAY__MEDIAMTX__PASSWORD": password,
    }
    settings |= {
        f"BEEPER_MEDIAMTX__{name.upper()}": f"http://127.0.0.1:{ports[name]}"
        for name in ("api", "hls", "whep")
    }
    station = Station(folder, **settings, **variables)
    moved = {f"MTX_{word}ADDRESS": f"127.0.0.1:{ports[name]}" for name, word in SERVERS.items()}
    moved["MTX_WEBRTCLOCALUDPADDRESS"] = f"127.0.0.1:{free_port()}"
    moved["MTX_AUTHHTTPADDRESS"] = f"{station.url}mediamtx/auth"
    with (folder / "mediamtx.log").open("wb") as log:
        command = [str(program.resolve()), str(CONFIGURATION)]
        server = subprocess.Popen(command, env=os.environ | moved, stdout=log, stderr=log)
    try:
        station.wait_ready()
        yield station
    finally:
        server.terminate()
        server.wait(DEADLINE)
        station.close()
