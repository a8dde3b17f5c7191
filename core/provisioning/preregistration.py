"""Pre-registration: people expect a device, and give it a token by which it is known when it comes (P-16)."""

from datetime import datetime
from typing import Any

from attrs import field, frozen

from core.actor import SYSTEM, Actor
from core.checks import PlainText, plain_text, require
from core.clock import Clock
from core.devices import (
    DEVICE_WRITE,
    DEVICES,
    Device,
    DeviceKeys,
    DeviceRemoved,
    Devices,
    DeviceStore,
    ProvisioningState,
    ip_address,
)
from core.errors import Forbidden, Unauthenticated
from core.events import Announced, AnySubscription, Subscription
from core.ids import DeviceUuid, Ids
from core.provisioning.events import DevicePreregistered, PendingDeviceClaimed
from core.provisioning.keys import DEFAULT_FLEET, GENERATED_DAYS, NewProvisioningKey, ProvisioningKeys
from core.provisioning.model import ProvisioningKey, Registration
from core.provisioning.ports import Issuer, ProvisioningKeyStore
from core.transactions import Transaction, Transactions

REFUSED = "the provisioning key is not valid: ask an operator for a new one"
# What stands for a type until the device itself says what it is.
UNTOLD_TYPE = "unknown"


def refused(reason: str) -> Unauthenticated:
    """The refusal of a provisioning key. All read alike; the reason is for the audit log only."""
    return Unauthenticated(REFUSED, context={"reason": reason})


@frozen(kw_only=True)
class ExpectedDevice:
    """A device that has yet to come. Its name, and its type if given, are kept whatever it will say of itself.

    When a MAC address is given, only a device that tells the same may take the place.
    """

    name: str = field(validator=PlainText(longest=255, called="deviceName"))
    type: str | None = field(default=None, validator=PlainText(longest=100, optional=True, called="deviceType"))
    ip_address: str | None = field(default=None, converter=ip_address)
    mac_address: str | None = None
    fleet_id: str = DEFAULT_FLEET


@frozen(kw_only=True)
class Preregistration:
    """A pending device and the token that is shown this once."""

    device: Device
    token: str = field(repr=False)
    expires_at: datetime


class Preregistrations:
    """Makes places for devices that are expected, and gives them to those that come."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        keys: ProvisioningKeys,
        key_store: ProvisioningKeyStore,
        devices: DeviceStore,
        registry: Devices,
        device_keys: DeviceKeys,
        first_state: Issuer,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._transactions = transactions
        self._keys = keys
        self._key_store = key_store
        self._devices = devices
        self._registry = registry
        self._device_keys = device_keys
        self._first_state = first_state
        self._clock = clock
        self._ids = ids

    async def create(self, actor: Actor, wanted: ExpectedDevice) -> Preregistration:
        """Expect a device: a pending one, which people can tag and draft for, and a token for one use in thirty days.

        A pending device takes no place of those that the licence allows; when the device comes it needs one.
        """
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            device = await self._devices.add(
                tx,
                Device(
                    uuid=DeviceUuid(self._ids.uuid()),
                    name=plain_text(wanted.name, "deviceName", longest=255),
                    type=wanted.type or UNTOLD_TYPE,
                    provisioning=ProvisioningState.PENDING,
                    created_at=now,
                    modified_at=now,
                    fleet_id=wanted.fleet_id,
                    mac_address=wanted.mac_address,
                    ip_address=wanted.ip_address,
                ),
            )
            key, token = await self._keys.add(tx, actor, _key_for(device))
            await self._first_state.issue(tx, device)
            tx.announce(
                DevicePreregistered(
                    at=now, by=actor.reference, uuid=device.uuid, name=device.name, type=device.type, key_id=key.id
                )
            )
        return Preregistration(device=device, token=token, expires_at=key.expires_at)

    async def claim(self, tx: Transaction, key: ProvisioningKey, wanted: Registration) -> Device | None:
        """Within the transaction that enrols a device: the pending device that the key was made for becomes it.

        None when the key was made for no device in particular, or when this device has had its place already.
        Unauthenticated when the place is gone or another's, Forbidden when it is out of service, Conflict when the
        uuid is that of another device, QuotaExceeded.
        """
        if key.device_uuid is None:
            return None
        expected = await self._devices.find(tx, key.device_uuid, to_change=True)
        if expected is None:
            raise refused("revoked key")
        if expected.provisioning is ProvisioningState.PENDING:
            return await self._take(tx, key, expected, wanted)
        if expected.uuid != wanted.uuid:
            raise refused("key used up")
        return None

    def subscriptions(self) -> list[AnySubscription]:
        """React to pending devices that are expected no more."""
        return [Subscription[Any](name="provisioning.revoke_token", events=(DeviceRemoved,), reaction=self.revoke)]

    async def revoke(self, announced: Announced[DeviceRemoved]) -> None:
        """The device is gone: its token, which has been good for nothing since, is noted as revoked."""
        async with self._transactions.begin() as tx:
            for key in await self._key_store.made_for(tx, announced.event.uuid):
                if key.is_active and key.uses < key.max_uses:
                    await self._keys.withdraw(tx, SYSTEM, key, "the device was removed")

    async def _take(self, tx: Transaction, key: ProvisioningKey, expected: Device, wanted: Registration) -> Device:
        if not expected.active:
            raise Forbidden("the device is inactive")
        if expected.mac_address and expected.mac_address != wanted.mac_address:
            raise refused("another MAC address")
        now = self._clock.now()
        if not await self._key_store.charge(tx, key.id, now):
            raise refused("key used up")
        await self._registry.claim_place(tx)
        await self._devices.rename(tx, expected.uuid, wanted.uuid)
        device = expected.changed(
            now,
            uuid=wanted.uuid,
            type=wanted.type if expected.type == UNTOLD_TYPE else expected.type,
            provisioning=ProvisioningState.REGISTERED,
            provisioned_at=now,
            provisioned_by=key.id,
            mac_address=wanted.mac_address,
            ip_address=wanted.ip_address or expected.ip_address,
            os_version=wanted.os_version,
            agent_version=wanted.agent_version,
        )
        await self._devices.save(tx, device)
        await self._key_store.bind(tx, key.id, device.uuid)
        await self._device_keys.put(tx, device, wanted.api_key, fingerprint=wanted.fingerprint)
        tx.signal(DEVICES, expected.uuid)
        tx.announce(
            PendingDeviceClaimed(
                at=now, by=f"device:{device.uuid}", uuid=device.uuid, pending_uuid=expected.uuid, name=device.name
            )
        )
        return device


def _key_for(device: Device) -> NewProvisioningKey:
    return NewProvisioningKey(
        fleet_id=device.fleet_id or DEFAULT_FLEET,
        max_uses=1,
        expires_in_days=GENERATED_DAYS,
        description=f"for the pre-registered device {device.name}",
        device_uuid=device.uuid,
    )
