"""One MQTT 5 connection of paho-mqtt, driven by the running event loop."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from .errors import BusError, Nobody, Refused
from .pump import Pump
from .settings import Mqtt

log = logging.getLogger(__name__)

NO_MATCHING_SUBSCRIBERS = 0x10
FAILURE = 0x80
UNSPECIFIED = 0x80
LINGER = 0.3
"""Seconds that a goodbye may take to leave."""

Handler = Callable[[paho.MQTTMessage], None]


class Will:
    """What the broker says when this connection dies."""

    def __init__(self, topic: str, payload: bytes) -> None:
        self.topic = topic
        self.payload = payload


class Session(NamedTuple):
    """What the broker is to remember while nobody is connected (MQTT 5 §3.1.2.11).

    Its messages are acknowledged by the receiver; those that were not come again.
    """

    seconds: int
    """For how long."""
    most: int
    """Messages that may be without acknowledgement: the broker holds what is beyond."""

    def properties(self) -> Properties:
        """As the broker takes it with CONNECT."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self.seconds
        properties.ReceiveMaximum = self.most
        return properties


class Connection:
    """Lives from `open` until `closed` is done; a new one is made for every attempt.

    Messages are handed to `on_message` on the event loop, in the order of their arrival.
    """

    def __init__(
        self,
        mqtt: Mqtt,
        name: str,
        on_message: Handler,
        will: Will | None = None,
        session: Session | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._settings = mqtt
        self._session = session
        self._unacknowledged: list[int] = []
        self._pending: dict[int, asyncio.Future[None]] = {}
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            mqtt.client_id(name),
            transport="unix" if mqtt.socket else "tcp",
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=session is not None,
        )
        self._client.connect_timeout = mqtt.timeout
        self._handle = on_message
        self._authenticate()
        if will:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        self._pump = Pump(self._client, mqtt.send_buffer, self.abort)
        self._wire()

    def _authenticate(self) -> None:
        if self._settings.username:
            self._client.username_pw_set(self._settings.username, self._settings.secret())
        # What stays in this machine's kernel needs no encryption.
        if self._settings.tls and not self._settings.socket:
            ca_file = self._settings.ca_file
            self._client.tls_set(ca_certs=str(ca_file) if ca_file else None)

    def _wire(self) -> None:
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    async def open(self) -> None:
        """Connect and wait for CONNACK; raises BusError with the broker's reason."""
        mqtt = self._settings
        try:
            async with asyncio.timeout(mqtt.timeout):
                await asyncio.to_thread(
                    self._client.connect,
                    str(mqtt.socket or mqtt.host),
                    mqtt.port,
                    mqtt.keepalive,
                    clean_start=self._session is None,
                    properties=self._session and self._session.properties(),
                )
                await self._connected
        except TimeoutError:
            self.abort("no answer from the broker")
            raise BusError("no answer from the broker") from None
        except (OSError, UnicodeError) as error:
            self.abort(str(error))
            raise BusError(getattr(error, "strerror", None) or str(error)) from None
        except asyncio.CancelledError:
            self.abort("cancelled")
            raise
        self._pump.start()

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties | None
    ) -> "asyncio.Future[None] | None":
        """Hand a message to the socket; for QoS 1 a future of the broker's PUBACK."""
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise BusError(paho.error_string(info.rc))
        self._pump.flush()
        return self._await(info.mid) if qos else None

    def subscribe(self, filters: list[tuple[str, int]]) -> "asyncio.Future[None]":
        """Ask for topics; the future fails with Refused when the broker says no."""
        # As published: so a retained event shows that it is one to who hears it live, too.
        wanted = [(name, SubscribeOptions(qos, retainAsPublished=True)) for name, qos in filters]
        code, mid = self._client.subscribe(wanted)
        if code != paho.MQTT_ERR_SUCCESS or mid is None:
            raise BusError(paho.error_string(code))
        self._pump.flush()
        return self._await(mid)

    def mark(self) -> Callable[[], None]:
        """The way to acknowledge, later, everything that a session has brought until now."""
        count = len(self._unacknowledged)

        def acknowledge() -> None:
            # The broker repeats on the next connection what this one did not acknowledge.
            if self.closed.done():
                return
            for mid in self._unacknowledged[:count]:
                self._client.ack(mid, 1)
            del self._unacknowledged[:count]
            self._pump.flush()

        return acknowledge

    def unsubscribe(self, filters: list[str]) -> None:
        self._client.unsubscribe(filters)
        self._pump.flush()

    @property
    def congested(self) -> bool:
        """Whether the socket has not taken everything that was published."""
        return self._pump.congested

    async def close(self) -> None:
        """Say goodbye, so that the broker does not publish the will."""
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
            self._pump.flush()
            await asyncio.wait((self.closed,), timeout=LINGER)
        self.abort("closed")

    def abort(self, reason: str) -> None:
        """Drop the connection at once; the broker then publishes the will."""
        self._pump.stop()
        self._finish(reason)

    def _await(self, mid: int) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = self._loop.create_future()
        # Who publishes without waiting does not want to hear of it later.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pending[mid] = future
        return future

    def _finish(self, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_result(reason)
        if not self._connected.done():
            self._connected.set_exception(BusError(reason))
            self._connected.exception()  # nobody may be waiting any more
        for future in self._pending.values():
            if not future.done():
                future.set_exception(BusError(reason))
        self._pending.clear()

    def _on_connect(
        self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._connected.done():
            return
        if reason.is_failure:
            self._connected.set_exception(BusError(f"the broker says: {reason}"))
        else:
            self._connected.set_result(None)

    def _on_disconnect(
        self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        # What paho calls it when the socket just ends.
        is_bare = reason.value == UNSPECIFIED
        self._finish("the connection was closed" if is_bare else str(reason))

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        if self._session and message.qos:
            self._unacknowledged.append(message.mid)
        try:
            self._handle(message)
        except Exception:
            # It must not leave paho in the middle of a packet, and the connection deaf.
            log.exception("could not handle a message on %s", message.topic)

    def _on_publish(
        self, _client: Any, _userdata: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        if (future := self._pending.pop(mid, None)) is None or future.done():
            return
        if reason.value >= FAILURE:
            future.set_exception(Refused(f"the broker says: {reason}"))
        elif reason.value == NO_MATCHING_SUBSCRIBERS:
            future.set_exception(Nobody("nobody takes it at the moment"))
        else:
            future.set_result(None)

    def _on_subscribe(
        self, _client: Any, _userdata: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        if (future := self._pending.pop(mid, None)) is None or future.done():
            return
        if bad := [str(reason) for reason in reasons if reason.value >= FAILURE]:
            future.set_exception(Refused(f"the broker says: {', '.join(bad)}"))
        else:
            future.set_result(None)


def user_properties(pairs: dict[str, str]) -> Properties:
    """MQTT 5 user properties of a PUBLISH."""
    properties = publish_properties()
    properties.UserProperty = list(pairs.items())
    return properties


def publish_properties() -> Properties:
    """The MQTT 5 properties of a PUBLISH, none set."""
    return Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
