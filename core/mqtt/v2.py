"""What devices that registered by provisioning v2 may do beyond the others."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from core.clock import Clock
from core.devices import Device
from core.mqtt.acl import device_username
from core.mqtt.ports import MqttAccountStore
from core.transactions import Transaction


class V2Topics:
    """Grants the topics of v2 to a device whose account has just been issued. Implements `core.provisioning.Issuer`."""

    def __init__(self, store: MqttAccountStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def issue(self, tx: Transaction, device: Device) -> Mapping[str, Any]:
        """Note it with the account. A registration by v1 takes it back, for that issues the account anew."""
        account = await self._store.get(tx, device_username(device.uuid))
        await self._store.put(tx, evolve(account, v2=True), self._clock.now())
        return {}
