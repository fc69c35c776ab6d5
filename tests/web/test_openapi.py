"""The HTTP API does what its description says, whatever is sent (schemathesis)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from bus_camera import Camera
from conftest import DEADLINE, Broker, starter, wait_until
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from web_station import Web

ENDLESS = "/camera/stream.mjpg"
load_all_checks()
NAMES = (
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
"""A 503 with its reason is an answer here, so that `not_a_server_error` is said more exactly."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with starter(broker, tmp_path_factory.mktemp("web")) as start, Camera(broker.port) as camera:
        camera.say()
        camera.film()
        start("chat")
        web = Web(start, jpeg_wait="0.05", BEEPER_ACCESS__OPERATORS='["local-127.0.0.1"]')
        web.knows("csi")
        wait_until(lambda: web.get("/api/chat/messages").status == 200, "chat is there")
        yield web
    broker.stop()


def test_every_answer_is_as_described(web: Web) -> None:
    described = json.loads(web.get("/openapi.json").body)
    del described["paths"][ENDLESS]
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=f"http://{web.host}")
    checks = [check for check in CHECKS.get_all() if check.__name__ in NAMES]
    assert len(checks) == len(NAMES)
    found = list(schema.get_all_operations())
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    assert len(operations) == len(found) >= 15
    for operation in operations:
        try_out(operation, checks)


def try_out(operation: Any, checks: list[Any]) -> None:
    """Send what the description allows, and a little more."""

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers(case: schemathesis.Case[Any]) -> None:
        response = case.call(timeout=DEADLINE)
        assert response.status_code != 500, response.text
        case.validate_response(response, checks=checks)

    answers()


def test_web_is_well_after_all_of_it(web: Web) -> None:
    assert web.get("/healthz").status == 200
    assert "Traceback" not in web.service.log()
