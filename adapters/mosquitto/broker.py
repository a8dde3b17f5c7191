"""A broker that is a program of its own. Implements `core.mqtt.Broker` over the network, as one of its clients."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from aiomqtt import Client, MqttError
from attrs import define, field

from adapters.mosquitto.address import BrokerAddress
from adapters.mosquitto.counts import SYS_TOPICS, BrokerCounts
from core.errors import Unavailable
from core.mqtt import BrokerStatistics, topic_name
from core.mqtt import topic_filter as valid_filter

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
PUBLISH_SECONDS = 5.0
RETAINED_SECONDS = 10.0
# What we publish at the same time waits in memory for the broker's acknowledgements.
MOST_UNDER_WAY = 200
OWN_TOPICS = "iotistic/own"


@define(eq=False)
class MosquittoBroker:
    """Connected as long as it is open, and again whenever the connection breaks."""

    address: BrokerAddress
    client_id: str = field(factory=lambda: f"iotistic-{uuid4().hex[:12]}")
    _counts: BrokerCounts = field(factory=BrokerCounts)
    _client: Client | None = None
    _task: "asyncio.Task[None] | None" = None
    _under_way: set[asyncio.Timeout] = field(factory=set)
    _room: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(MOST_UNDER_WAY))
    _connected: asyncio.Event = field(factory=asyncio.Event)
    _lost: asyncio.Event = field(factory=asyncio.Event)
    reconnects: int = 0

    @property
    def cuts_at_once(self) -> bool:
        """See `core.mqtt.Broker`. The broker asks us about each action, and a new session ends the one before."""
        return False

    async def open(self) -> None:
        """Begin to connect, without waiting: the broker may come later than we do, or ask us before it answers."""
        self.address.arguments(self.client_id)  # what cannot work is told at once
        self._task = asyncio.create_task(self._stay_connected())

    async def close(self) -> None:
        """Leave."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def connected(self) -> None:
        """Returns when there is a connection."""
        await self._connected.wait()

    async def lost(self) -> None:
        """Returns when there is no connection."""
        await self._lost.wait()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._client is not None

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """See `core.mqtt.Broker`. With QoS 1 the broker has it when this returns."""
        topic_name(topic)
        async with self._room:
            client = self._working()
            try:
                async with self._limited():
                    await client.publish(topic, payload, qos=qos, retain=retain, timeout=PUBLISH_SECONDS)
            except (MqttError, TimeoutError) as error:
                raise _unavailable(error) from error

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        """Until the time is over, or the connection: nobody acknowledges any more what was sent over one that is lost.

        Raises TimeoutError.
        """
        async with asyncio.timeout(PUBLISH_SECONDS) as limit:
            self._under_way.add(limit)
            try:
                yield
            finally:
                self._under_way.discard(limit)

    async def disconnect(self, username: str) -> None:
        """See `core.mqtt.Broker`.

        A broker cuts the old connection of a client id when another comes with the same (MQTT 3.1.1 §3.1.4), and with a
        clean session forgets what it kept. The client id of a device is its username, so we come as the device for a
        moment, with our own account. Accounts of people have client ids that we do not know: they are asked about again
        at each action, and refused.
        """
        try:
            async with Client(**self.address.arguments(username), clean_session=True):
                log.info("the session of %s was cut", username)
        except MqttError as error:
            raise _unavailable(error) from error

    async def forget_retained(self, topic_filter: str) -> None:
        """See `core.mqtt.Broker`."""
        wanted = valid_filter(topic_filter)
        client_id = f"iotistic-{uuid4().hex[:12]}"
        end = f"{OWN_TOPICS}/{client_id}"
        try:
            async with asyncio.timeout(RETAINED_SECONDS), Client(**self.address.arguments(client_id)) as client:
                await client.subscribe([(wanted, 1), (end, 1)])
                # Retained messages come before whatever is published after the subscription.
                await client.publish(end, b"", qos=1)
                found = []
                async for message in client.messages:
                    if message.topic.value == end:
                        break
                    if message.retain:
                        found.append(message.topic.value)
                for topic in found:
                    await client.publish(topic, b"", qos=1, retain=True)
        except (MqttError, TimeoutError) as error:
            raise _unavailable(error) from error

    def statistics(self) -> BrokerStatistics:
        """See `core.mqtt.Broker`; as of the broker's last word, which it gives every few seconds."""
        return self._counts.statistics()

    async def ping(self) -> None:
        """See `core.mqtt.Broker`."""
        self._working()

    def _working(self) -> Client:
        if self._client is None:
            raise Unavailable("the MQTT broker is not connected", retry_after=LONGEST_PAUSE)
        return self._client

    def _disconnected(self) -> None:
        self._client = None
        self._connected.clear()
        self._lost.set()
        for limit in self._under_way:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with Client(**self.address.arguments(self.client_id), clean_session=True) as client:
                    await client.subscribe([(topic, 0) for topic in SYS_TOPICS])
                    self._client, pause = client, FIRST_PAUSE
                    self._connected.set()
                    self._lost.clear()
                    async for message in client.messages:
                        self._counts.heard(message.topic.value, bytes(message.payload))
            except (MqttError, Unavailable) as error:
                log.warning("the MQTT broker is not connected, trying again in %.1f s: %s", pause, error)
            finally:
                self._disconnected()
            await asyncio.sleep(pause)
            self.reconnects += 1
            pause = min(pause * 2, LONGEST_PAUSE)


def _unavailable(error: BaseException) -> Unavailable:
    return Unavailable("the MQTT broker does not answer", context={"reason": repr(error)})
