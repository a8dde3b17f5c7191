"""Cuts the sessions of devices that may no longer speak."""

import asyncio
import logging
from typing import Any

from core.devices import DeviceDeactivated, DeviceEvent, DeviceRemoved
from core.events import Announced, AnySubscription, Subscription
from core.mqtt.accounts import MQTT_ACCOUNTS
from core.mqtt.acl import device_username
from core.mqtt.ports import Broker
from core.mqtt.topics import device_branches
from core.transactions import Signals

log = logging.getLogger(__name__)


class Revocation:
    """Sees to it that what was taken away stops working now, not when the connection happens to end."""

    def __init__(self, broker: Broker, signals: Signals) -> None:
        self._broker = broker
        self._running: set[asyncio.Task[None]] = set()
        if broker.cuts_at_once:
            # Before the answer with the new password leaves: a session cut later would be the device's new one, and the
            # agent does not subscribe again after it was cut (contract §3.6).
            signals.on(MQTT_ACCOUNTS, self._cut_soon, own=True)

    def subscriptions(self) -> list[AnySubscription]:
        """React to devices that were put out of service or removed."""
        gone = (DeviceDeactivated, DeviceRemoved)
        return [Subscription[Any](name="mqtt.revoke", events=gone, reaction=self.revoke)]

    async def revoke(self, announced: Announced[DeviceEvent]) -> None:
        """Cut the device's session and forget what it left behind."""
        uuid = announced.event.uuid
        await self._broker.disconnect(device_username(uuid))
        for branch in device_branches(uuid):
            await self._broker.forget_retained(branch)

    def _cut_soon(self, username: str) -> None:
        task = asyncio.create_task(self._cut(username))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _cut(self, username: str) -> None:
        try:
            await self._broker.disconnect(username)
        except Exception:
            log.exception("the session of %s could not be cut", username)
