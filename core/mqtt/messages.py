"""From messages on device topics to use cases."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from core.clock import Clock
from core.errors import Refusal, Unavailable
from core.ids import DeviceUuid
from core.mqtt.accounts import MqttAccounts
from core.mqtt.model import Message
from core.mqtt.ports import SetAside
from core.mqtt.topics import parse_device_topic
from core.transactions import Transactions

log = logging.getLogger(__name__)

LONGEST_REASON = 500

DeviceMessageHandler = Callable[[DeviceUuid, str, bytes], Awaitable[None]]


class DeviceMessages:
    """Takes each message to the use case for its kind of topic. Implements `Inbox`.

    The device is the one that the topic names: the broker lets only that device publish there, and accounts that were
    given the right to speak for it, such as those of gateways. Devices are never made out of topics.
    """

    def __init__(
        self, *, accounts: MqttAccounts, transactions: Transactions, set_aside: SetAside, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._transactions = transactions
        self._set_aside = set_aside
        self._clock = clock
        self._handlers: dict[str, DeviceMessageHandler] = {}

    def handle_with(self, handlers: Mapping[str, DeviceMessageHandler]) -> None:
        """From now on take `iot/device/<uuid>/<kind>/<rest>` to the handler of the kind (uuid, rest, payload).

        Also what is published on the topics of v2 that mean the same.
        """
        self._handlers.update(handlers)

    def wants(self, topic: str) -> bool:
        """Is there a use case for this topic?"""
        parsed = parse_device_topic(topic)
        return parsed is not None and parsed.kind in self._handlers

    async def receive(self, message: Message) -> None:
        """Have the message stored. Raises Unavailable when that cannot be done now.

        Whatever else is raised would be raised again: if the message were sent again, the device would do nothing else.
        What was refused is logged, as HTTP would refuse it; what a bug of ours is about is kept as it came.
        """
        topic = parse_device_topic(message.topic)
        if topic is None or topic.kind not in self._handlers or not await self._accounts.is_active_device(topic.uuid):
            return
        self._accounts.seen(message.username)
        try:
            await self._handlers[topic.kind](topic.uuid, topic.rest, message.payload)
        except Unavailable:
            raise
        except Refusal as refusal:
            log.warning("message on %r refused: %s", message.topic, refusal.message)
        except Exception as error:
            log.exception("a bug, in a message on %r", message.topic)
            async with self._transactions.begin() as tx:
                await self._set_aside.keep(tx, topic.uuid, message, repr(error)[:LONGEST_REASON], self._clock.now())
