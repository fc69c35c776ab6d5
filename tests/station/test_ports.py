"""What can be reached of a whole station from the network: nothing that is not meant to be."""

import contextlib
import socket
from pathlib import Path
from typing import Any

import psutil
from whole import Station


def inet(process: psutil.Process) -> list[tuple[str, Any]]:
    """Its command line with each of its sockets; none when it has just ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        command = " ".join(process.cmdline())
        return [(command, found) for found in process.net_connections("inet")]
    return []


def test_a_station_listens_where_it_says_and_nowhere_else(tmp_path: Path) -> None:
    station = Station(tmp_path)
    try:
        station.wait_ready()
        sockets = [found for process in station.family() for found in inet(process)]
    finally:
        station.close()
    tcp = {(s.laddr.ip, s.laddr.port) for _, s in sockets if s.status == psutil.CONN_LISTEN}
    assert tcp == {("127.0.0.1", station.port), ("127.0.0.1", station.mqtt_port)}
    udp = {command for command, s in sockets if s.type == socket.SOCK_DGRAM and not s.raddr}
    assert all("webrtc" in command for command in udp), udp
