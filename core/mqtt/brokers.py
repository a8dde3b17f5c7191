"""Brokers that people define, and which devices are sent to which."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.devices import DEVICE_CONTROL, Device, DeviceStore
from core.errors import Conflict, Invalid
from core.ids import DeviceUuid
from core.mqtt.broker_records import BrokerRecords
from core.mqtt.definition import BrokerDefinition, BrokerId, ProbeOutcome, options_of, protocol_of
from core.mqtt.endpoint import DEFAULT_PORTS, ClientOptions
from core.mqtt.endpoints import Endpoints
from core.mqtt.events import (
    DeviceBrokerAssigned,
    MqttBrokerAdded,
    MqttBrokerChanged,
    MqttBrokerRemoved,
    MqttBrokerTested,
)
from core.mqtt.ports import AssignmentStore, BrokerProbe
from core.settings import StoredSettings
from core.transactions import Transaction, Transactions

BROKER_READ = Permission("settings:read")
BROKER_WRITE = Permission("settings:write")

MOST_BROKERS = 100


@frozen(kw_only=True)
class BrokerWish:
    """What people want of a broker: `values` and `options` by the names of the definition; absent ones stay."""

    values: Mapping[str, Any] = field(factory=dict)
    options: Mapping[str, Any] = field(factory=dict)
    use_tls: bool | None = None
    is_default: bool | None = None


@frozen(kw_only=True)
class KnownBroker:
    """A broker as people look at it."""

    broker: BrokerDefinition
    is_default: bool
    devices: int


@frozen(kw_only=True)
class Assignment:
    """A device and the broker it is to use; None is the usual one. `overridden` by MQTT_BROKER_URL it has no effect."""

    device: Device
    broker: BrokerDefinition | None
    overridden: bool


class MqttBrokers:
    """Defines brokers, tries them, and sends devices to them. Agents take another broker when they register again."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        settings: StoredSettings,
        assignments: AssignmentStore,
        devices: DeviceStore,
        endpoints: Endpoints,
        probe: BrokerProbe,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._records = BrokerRecords(settings)
        self._assignments = assignments
        self._devices = devices
        self._endpoints = endpoints
        self._probe = probe
        self._clock = clock

    @property
    def overridden_by(self) -> str | None:
        """The address that MQTT_BROKER_URL sends all devices to, whatever is defined here."""
        override = self._endpoints.override
        return None if override is None else override.url

    async def all(self, actor: Actor) -> Sequence[KnownBroker]:
        """Every broker."""
        require(actor, BROKER_READ)
        async with self._transactions.read() as tx:
            return [await self._known(tx, broker) for broker in await self._records.all(tx)]

    async def get(self, actor: Actor, broker_id: BrokerId) -> KnownBroker:
        """One broker. NotFound."""
        require(actor, BROKER_READ)
        async with self._transactions.read() as tx:
            return await self._known(tx, await self._records.get(tx, broker_id))

    async def create(self, actor: Actor, wish: BrokerWish) -> KnownBroker:
        """Define a broker. Invalid; Conflict when there are too many."""
        require(actor, BROKER_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            await self._records.hold(tx)
            if len(await self._records.all(tx)) >= MOST_BROKERS:
                raise Conflict(f"there may be {MOST_BROKERS} brokers")
            broker = evolve(_made(wish, now), id=await self._records.next_id(tx))
            known = await self._save(tx, broker, wish)
            tx.announce(
                MqttBrokerAdded(
                    at=now,
                    by=actor.reference,
                    broker_id=broker.id,
                    name=broker.name,
                    url=broker.url,
                    is_default=known.is_default,
                )
            )
        return known

    async def change(self, actor: Actor, broker_id: BrokerId, wish: BrokerWish) -> KnownBroker:
        """Change a broker. With another address or other trust it loses its password, unless one is given again."""
        require(actor, BROKER_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            await self._records.hold(tx)
            before = await self._records.get(tx, broker_id)
            broker = before.changed(now, **_changes(before, wish))
            known = await self._save(tx, broker, wish)
            tx.announce(
                MqttBrokerChanged(
                    at=now,
                    by=actor.reference,
                    broker_id=broker.id,
                    name=broker.name,
                    url=broker.url,
                    is_default=known.is_default,
                )
            )
        return known

    async def remove(self, actor: Actor, broker_id: BrokerId) -> BrokerDefinition:
        """Forget a broker; its devices are told of the usual one when they register again. NotFound."""
        require(actor, BROKER_WRITE)
        async with self._transactions.begin() as tx:
            await self._records.hold(tx)
            broker = await self._records.get(tx, broker_id)
            await self._records.remove(tx, broker_id)
            await self._assignments.forget(tx, broker_id)
            if await self._records.default_id(tx) == broker_id:
                await self._records.set_default(tx, None)
            tx.announce(
                MqttBrokerRemoved(
                    at=self._clock.now(), by=actor.reference, broker_id=broker.id, name=broker.name, url=broker.url
                )
            )
        return broker

    async def test(self, actor: Actor, broker_id: BrokerId) -> ProbeOutcome:
        """Connect to a broker as it is defined and log in, now. NotFound."""
        require(actor, BROKER_WRITE)
        async with self._transactions.read() as tx:
            broker = await self._records.get(tx, broker_id)
        outcome = await self._probe.probe(broker)
        async with self._transactions.begin() as tx:
            tx.announce(
                MqttBrokerTested(
                    at=self._clock.now(),
                    by=actor.reference,
                    broker_id=broker.id,
                    name=broker.name,
                    url=broker.url,
                    outcome=outcome.value,
                )
            )
        return outcome

    async def assign(self, actor: Actor, uuid: DeviceUuid, broker_id: BrokerId | None) -> Assignment:
        """Let a device use this broker from its next registration on; None: the usual one. NotFound, Invalid."""
        require(actor, DEVICE_CONTROL)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            await self._records.hold(tx)
            device = await self._devices.get(tx, uuid)
            broker = None if broker_id is None else await self._records.get(tx, broker_id)
            if broker is not None and not broker.is_active:
                raise Invalid("the broker is inactive: no device can be sent there", field="brokerId")
            await self._assignments.put(tx, uuid, broker_id, now)
            tx.announce(DeviceBrokerAssigned(at=now, by=actor.reference, uuid=uuid, broker_id=broker_id))
        return Assignment(device=device, broker=broker, overridden=self._endpoints.override is not None)

    async def _save(self, tx: Transaction, broker: BrokerDefinition, wish: BrokerWish) -> KnownBroker:
        default_id = await self._records.default_id(tx)
        is_default = default_id == broker.id if wish.is_default is None else wish.is_default
        if is_default and not broker.is_active:
            raise Invalid("the default broker must be active: make another the default first", field="isActive")
        await self._records.save(tx, broker)
        if is_default != (default_id == broker.id):
            await self._records.set_default(tx, broker.id if is_default else None)
        return await self._known(tx, broker)

    async def _known(self, tx: Transaction, broker: BrokerDefinition) -> KnownBroker:
        counts = await self._assignments.counts(tx)
        is_default = await self._records.default_id(tx) == broker.id
        return KnownBroker(broker=broker, is_default=is_default, devices=counts.get(broker.id, 0))


def _made(wish: BrokerWish, now: datetime) -> BrokerDefinition:
    for name in ("name", "host"):
        if name not in wish.values:
            raise Invalid(f"{name} is required", field=name)
    protocol = protocol_of(wish.values.get("protocol", "mqtt"), use_tls=wish.use_tls)
    values = {"port": DEFAULT_PORTS[protocol], **wish.values, "protocol": protocol}
    options = options_of(ClientOptions(), dict(wish.options))
    return BrokerDefinition(options=options, created_at=now, updated_at=now, **values)


def _changes(before: BrokerDefinition, wish: BrokerWish) -> dict[str, Any]:
    if not wish.values and not wish.options and wish.use_tls is None and wish.is_default is None:
        raise Invalid("name at least one thing to change")
    changes = dict(wish.values)
    if "protocol" in changes or wish.use_tls is not None:
        changes["protocol"] = protocol_of(changes.get("protocol", before.protocol), use_tls=wish.use_tls)
    return {**changes, "options": options_of(before.options, dict(wish.options))}
