"""Devices, keys and enrolments to try things with."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from attrs import define, field, frozen
from sqlalchemy import select

from adapters.sql.outbox import event_from, outbox
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM, Actor, ActorKind
from core.devices import Device, DeviceKeys, Devices, Liveness
from core.errors import QuotaExceeded
from core.events import Event
from core.ids import DeviceUuid, ProvisioningKeyId
from core.mqtt import MqttAccounts
from core.provisioning import (
    Enrolment,
    Enrolments,
    NewProvisioningKey,
    Preregistrations,
    ProvisioningKey,
    ProvisioningKeys,
    Registration,
)
from core.transactions import Transaction
from tests.support.clock import NOON, TestClock

AGENT = Actor(kind=ActorKind.STRANGER, address="192.0.2.7")


def new_uuid() -> DeviceUuid:
    """The uuid of a device nobody knows yet."""
    return DeviceUuid(str(uuid4()))


def new_secret() -> str:
    """A key as agents make theirs: 64 hexadecimal digits."""
    return uuid4().hex + uuid4().hex


def a_device(**fields: Any) -> Device:
    """A device nobody knows yet."""
    plain: dict[str, Any] = {
        "uuid": new_uuid(),
        "name": "gateway",
        "type": "standalone",
        "created_at": NOON,
        "modified_at": NOON,
    }
    return Device(**(plain | fields))


def a_key(**fields: Any) -> ProvisioningKey:
    """A provisioning key that is good for a day."""
    plain: dict[str, Any] = {
        "id": ProvisioningKeyId(str(uuid4())),
        "digest": new_secret(),
        "fleet_id": "tests",
        "max_uses": 10,
        "expires_at": NOON + timedelta(days=1),
        "created_at": NOON,
        "created_by": "system",
    }
    return ProvisioningKey(**(plain | fields))


def a_registration(**fields: Any) -> Registration:
    """What a fresh agent says."""
    plain: dict[str, Any] = {"uuid": new_uuid(), "api_key": new_secret(), "name": "gateway", "type": "standalone"}
    return Registration(**(plain | fields))


@define
class Limit:
    """Implements `core.devices.Quota`; tests turn it."""

    most: int | None = None

    def most_devices(self) -> int | None:
        """The limit."""
        return self.most


@define
class Guesses:
    """Implements `core.provisioning.AttemptLimiter`: three guesses and no more."""

    counted: list[str] = field(factory=list)

    def failed(self, address: str) -> None:
        """Count it."""
        self.counted.append(address)

    def check(self, address: str) -> None:
        """Three are enough."""
        if self.counted.count(address) >= 3:
            raise QuotaExceeded("too many attempts", retry_after=60.0)


class Broken:
    """Implements `core.provisioning.Issuer`; its service is down."""

    async def issue(self, tx: Transaction, device: Device) -> Mapping[str, Any]:
        """Raise, as a bug would."""
        raise RuntimeError(f"nothing for {device.uuid}")


@frozen(kw_only=True)
class Enrolling:
    """Everything that takes part when a device enrols, on a real database."""

    transactions: SqliteTransactions
    clock: TestClock
    keys: ProvisioningKeys
    preregistrations: Preregistrations
    devices: Devices
    device_keys: DeviceKeys
    liveness: Liveness
    accounts: MqttAccounts
    enrolments: Enrolments
    quota: Limit
    guesses: Guesses

    async def key(self, **wanted: Any) -> tuple[ProvisioningKey, str]:
        """A provisioning key and its secret."""
        return await self.keys.create(SYSTEM, NewProvisioningKey(**{"fleet_id": "tests", **wanted}))

    async def register(self, secret: str, wanted: Registration | None = None) -> Enrolment:
        """Have an agent enrol."""
        return await self.enrolments.register(AGENT, secret, wanted or a_registration())

    async def uses(self) -> list[int]:
        """How often each key was used."""
        return [key.uses for key in await self.keys.of_fleet(SYSTEM, None)]

    async def can_log_in(self, enrolment: Enrolment) -> bool:
        """Does the MQTT password of this enrolment work?"""
        mqtt = enrolment.grants["mqtt"]
        name = mqtt["username"]
        return await self.accounts.authenticate(username=name, password=mqtt["password"], client_id=name)

    async def events(self, kind: type[Event] = Event) -> list[Any]:
        """What was announced, the oldest first."""
        async with self.transactions.read() as tx:
            rows = await tx.rows(select(outbox.c.name, outbox.c.payload).order_by(outbox.c.id))
        told = [event_from(row.name, row.payload) for row in rows]
        return [event for event in told if isinstance(event, kind)]
