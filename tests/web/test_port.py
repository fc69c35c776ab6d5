import socket

from conftest import Start, wait_until
from web_station import Web


def test_a_taken_port_is_one_line_that_says_how_to_choose_another(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = start("web", BEEPER_WEB__PORT=str(port))
        assert service.process.wait(10) == 1
    (line,) = [line for line in service.log().splitlines() if "INFO" not in line]
    assert str(port) in line and "BEEPER_WEB__PORT" in line


def test_an_address_that_is_none_is_said(start: Start) -> None:
    service = start("web", BEEPER_WEB__HOST="no.such.host.invalid", BEEPER_WEB__PORT="0")
    assert service.process.wait(10) == 1
    (line,) = [line for line in service.log().splitlines() if "INFO" not in line]
    assert "no.such.host.invalid" in line


def test_it_ends_in_order_with_a_viewer_connected(start: Start) -> None:
    web = Web(start)
    with web.socket("events") as page:
        page.recv()
        assert web.service.terminate() == 0
    wait_until(lambda: "stopped" in web.service.log(), "it says goodbye")
    assert "Traceback" not in web.service.log()
