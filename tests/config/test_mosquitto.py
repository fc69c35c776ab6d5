"""mosquitto/ as it is shipped, on a real broker."""

import asyncio
from pathlib import Path

import psutil
from bridged import certify, listener
from bus import Bus, Settings
from bus.settings import Mqtt
from conftest import DEADLINE, Broker, free_port


async def test_a_service_elsewhere_logs_in_over_tls(tmp_path: Path) -> None:
    certify(tmp_path)
    port = free_port()
    broker = Broker(tmp_path)
    broker.require_password(listener(tmp_path, port))
    login = broker.login("sensors")
    mqtt = Mqtt(
        port=port,
        tls=True,
        ca_file=tmp_path / "ca.crt",
        username=login["BEEPER_MQTT__USERNAME"],
        password_file=Path(login["BEEPER_MQTT__PASSWORD_FILE"]),
    )
    bus = Bus(Settings(mqtt=mqtt), "sensors", "0")
    task = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await bus.link.ready()
            assert await bus.echo() > 0
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        broker.stop()


def test_it_listens_where_it_was_told_and_nowhere_else(broker: Broker) -> None:
    sockets = psutil.Process(broker.pid).net_connections("inet")
    heard = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
    assert heard == [("127.0.0.1", broker.port)]
