"""The registry: what people do with devices."""

from collections.abc import Collection

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.devices.events import (
    DeviceActivated,
    DeviceDeactivated,
    DeviceEdited,
    DeviceReleased,
    DeviceRemoved,
)
from core.devices.keys import DEVICES
from core.devices.liveness import Liveness
from core.devices.model import Device, DeviceEdit
from core.devices.overview import Census, DeviceOverview, DeviceQuery
from core.devices.ports import DeviceOverviews, DeviceStore, Quota
from core.errors import NotFound, QuotaExceeded
from core.ids import DeviceUuid
from core.pages import Page
from core.transactions import Transaction, Transactions

DEVICE_READ = Permission("device:read")
DEVICE_WRITE = Permission("device:write")
DEVICE_DELETE = Permission("device:delete")
DEVICE_CONTROL = Permission("device:control")


class Devices:
    """Lists, shows, edits, switches, releases and removes devices."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: DeviceStore,
        overviews: DeviceOverviews,
        quota: Quota,
        liveness: Liveness,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._overviews = overviews
        self._quota = quota
        self._liveness = liveness
        self._clock = clock

    async def page(self, actor: Actor, query: DeviceQuery) -> Page[DeviceOverview]:
        """Some of the devices, as people look at them."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._overviews.page(tx, query)

    async def overview(self, actor: Actor, uuid: DeviceUuid) -> DeviceOverview:
        """One device, as people look at it; a device may look at itself. NotFound."""
        if actor.device_uuid != uuid:
            require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._overviews.one(tx, uuid)

    async def census(self) -> Census:
        """How many devices there are, for the numbers about ourselves."""
        async with self._transactions.read() as tx:
            return await self._overviews.census(tx)

    async def edit(self, actor: Actor, uuid: DeviceUuid, edit: DeviceEdit) -> Device:
        """Change what is known of a device."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            before = await self._store.get(tx, uuid, to_change=True)
            device = edit.applied_to(before, now)
            await self._store.save(tx, device)
            names = ("name", "type", "ip_address", "mac_address")
            changes = tuple(name for name in names if getattr(before, name) != getattr(device, name))
            tx.announce(DeviceEdited(at=now, by=actor.reference, uuid=uuid, changes=changes))
        return device

    async def switch(self, actor: Actor, uuid: DeviceUuid, *, active: bool) -> Device:
        """Put a device in service or out of it. QuotaExceeded when there are as many in service as may be."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            before = await self._store.get(tx, uuid, to_change=True)
            if before.active == active:
                return before
            if active:
                await self.claim_place(tx)
            device = before.switched(now, active=active)
            await self._store.save(tx, device)
            event = DeviceActivated if active else DeviceDeactivated
            tx.announce(event(at=now, by=actor.reference, uuid=uuid))
            tx.signal(DEVICES, uuid)
        return device

    async def release(self, actor: Actor, uuid: DeviceUuid) -> Device:
        """Let a device enrol again with another key, after a factory reset say. Its present key works until then."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            device = (await self._store.get(tx, uuid, to_change=True)).released(now)
            await self._store.save(tx, device)
            tx.announce(DeviceReleased(at=now, by=actor.reference, uuid=uuid))
        return device

    async def remove(self, actor: Actor, uuid: DeviceUuid) -> Device:
        """Forget a device for good: its credentials at once, what it sent soon after. A device may remove itself."""
        if actor.device_uuid != uuid:
            require(actor, DEVICE_DELETE)
        async with self._transactions.begin() as tx:
            device = await self._store.get(tx, uuid, to_change=True)
            await self._store.remove(tx, uuid)
            tx.announce(DeviceRemoved(at=self._clock.now(), by=actor.reference, uuid=uuid, name=device.name))
            tx.signal(DEVICES, uuid)
        self._liveness.forget(uuid)
        return device

    async def check_known(self, tx: Transaction, uuids: Collection[DeviceUuid], *, to_change: bool = False) -> None:
        """Make sure that all of these are devices of ours. NotFound names those that are not.

        `to_change` holds them until the transaction ends, so that of others who do the same one goes after the other.
        """
        known = await self._store.known(tx, uuids, to_change=to_change)
        unknown = [uuid for uuid in dict.fromkeys(uuids) if uuid not in known]
        if len(unknown) == 1 == len(uuids):
            raise NotFound("there is no such device")
        if unknown:
            raise NotFound(f"there are no such devices: {', '.join(unknown)}")

    async def claim_place(self, tx: Transaction) -> None:
        """Make sure that one more device may be in service. QuotaExceeded."""
        most = self._quota.most_devices()
        if most is not None and await self._store.count_active(tx) >= most:
            raise QuotaExceeded(f"your plan allows {most} devices", context={"most": most})
