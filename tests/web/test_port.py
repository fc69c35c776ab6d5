import http.client
import os
import re
import socket
import subprocess
import sys

import pytest
from bus_camera import Camera
from conftest import DEADLINE, Start, wait_until
from web_station import Web, close_of


def test_a_taken_port_is_one_line_that_says_how_to_choose_another(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = start("web", BEEPER_WEB__PORT=str(port))
        assert service.process.wait(DEADLINE) == 1
    (line,) = [line for line in service.log().splitlines() if "INFO" not in line]
    assert str(port) in line and "BEEPER_WEB__PORT" in line


def test_an_address_that_is_none_is_said(start: Start) -> None:
    service = start("web", BEEPER_WEB__HOST="no.such.host.invalid", BEEPER_WEB__PORT="0")
    assert service.process.wait(DEADLINE) == 1
    (line,) = [line for line in service.log().splitlines() if "INFO" not in line]
    assert "no.such.host.invalid" in line


BOTH = """
import pathlib, socket
from web.port import listen
from web.settings import Web
pathlib.Path("/proc/sys/net/ipv6/bindv6only").write_text("1")
listener = listen(Web(host="::", port=0))
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with socket.socket(family) as asker:
        asker.connect((address, listener.getsockname()[1]))
print("both")
"""


def test_all_interfaces_are_those_of_ipv4_too() -> None:
    if os.geteuid():
        pytest.skip("only root makes namespaces")
    name = f"beeper-port-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        command = ["ip", "netns", "exec", name, sys.executable, "-c", BOTH]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
    assert ran.stdout == "both\n", ran.stderr


def test_it_ends_in_order_and_says_goodbye(web: Web, camera: Camera) -> None:
    stream = http.client.HTTPConnection(web.host, timeout=DEADLINE)
    stream.request("GET", "/camera/stream.mjpg")
    wait_until(lambda: web.count("beeper_mjpeg_viewers") == 1, "the stream waits for a picture")
    camera.jpeg(b"\xff\xd8\xff\xd9")
    response = stream.getresponse()
    with web.socket("events") as page, web.socket("live/csi") as viewer:
        assert page.recv() and viewer.recv()
        assert web.service.terminate() == 0
        assert close_of(page)[0] == close_of(viewer)[0] == 1001
    assert response.read().count(b"--beeper") == 1
    stream.close()
    assert "stopped" in web.service.log()
    assert not re.search("Traceback|ERROR|exceeded", web.service.log()), web.service.log()
