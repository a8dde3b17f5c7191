"""Tags: what people write on devices, one by one or on many at once, and how they find them by it."""

from collections.abc import Mapping, Sequence

from attrs import evolve

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.devices import DEVICE_READ, DEVICE_WRITE, DeviceQuery, Devices
from core.errors import Invalid, NotFound
from core.ids import DeviceUuid
from core.pages import Page
from core.tags.events import DeviceTagged
from core.tags.model import (
    MOST_DEVICES_AT_ONCE,
    Rules,
    TaggedDevice,
    TagUse,
    changes,
    merged,
    tag_key,
    tag_value,
    tags_of,
)
from core.tags.ports import TagDefinitionStore, TagStore
from core.transactions import Transaction, Transactions


class Tags:
    """Reads and writes the tags of devices. The definitions are asked about all that is written."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: TagStore,
        definitions: TagDefinitionStore,
        devices: Devices,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._definitions = definitions
        self._devices = devices
        self._clock = clock

    async def of(self, actor: Actor, uuid: DeviceUuid) -> Mapping[str, str]:
        """The tags of a device. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            await self._devices.check_known(tx, [uuid])
            return await self._of(tx, uuid)

    async def put(self, actor: Actor, uuid: DeviceUuid, key: str, value: str) -> tuple[str, str]:
        """Write one tag, over what stood under its key; the tag as it was written. Invalid, NotFound."""
        require(actor, DEVICE_WRITE)
        tag = tag_key(key), tag_value(value)
        await self._apply(actor, [uuid], dict([tag]))
        return tag

    async def replace(self, actor: Actor, uuid: DeviceUuid, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Let these be all the tags of a device. Invalid, also when a required one is not among them; NotFound."""
        require(actor, DEVICE_WRITE)
        wanted = tags_of(tags)
        async with self._transactions.begin() as tx:
            await self._devices.check_known(tx, [uuid], to_change=True)
            (await self._rules(tx)).check_whole(wanted)
            await self._change(tx, actor, uuid, await self._of(tx, uuid), wanted)
        return wanted

    async def remove(self, actor: Actor, uuid: DeviceUuid, key: str) -> None:
        """Take a tag off a device. NotFound when it has none; Conflict when it must have it."""
        require(actor, DEVICE_WRITE)
        async with self._transactions.begin() as tx:
            await self._devices.check_known(tx, [uuid], to_change=True)
            before = await self._of(tx, uuid)
            if key not in before:
                raise NotFound(f"the device has no tag {tag_key(key)}")
            (await self._rules(tx)).check_removal(key)
            await self._change(tx, actor, uuid, before, {each: before[each] for each in before if each != key})

    async def apply(self, actor: Actor, uuids: Sequence[DeviceUuid], tags: Mapping[str, str]) -> int:
        """Write the same tags on many devices, on all or on none of them; how many devices that were.

        Invalid when it is nothing or too much; NotFound names those that are not devices.
        """
        require(actor, DEVICE_WRITE)
        devices = list(dict.fromkeys(uuids))
        if not 1 <= len(devices) <= MOST_DEVICES_AT_ONCE:
            raise Invalid(f"deviceUuids must name 1 to {MOST_DEVICES_AT_ONCE} devices", field="deviceUuids")
        if not tags:
            raise Invalid("tags must name at least one tag", field="tags")
        await self._apply(actor, devices, tags_of(tags))
        return len(devices)

    async def find(self, actor: Actor, selectors: Mapping[str, str], query: DeviceQuery) -> Page[TaggedDevice]:
        """The devices that have all these tags, with all that they have. Invalid when none is named."""
        require(actor, DEVICE_READ)
        if not selectors:
            raise Invalid("tagSelectors must name at least one tag", field="tagSelectors")
        wanted = tuple(tags_of(selectors, "tagSelectors").items())
        page = await self._devices.page(actor, evolve(query, tags=wanted))
        found = [overview.device for overview in page.items]
        async with self._transactions.read() as tx:
            tags = await self._store.of(tx, [device.uuid for device in found])
        items = tuple(TaggedDevice(device=device, tags=tags.get(device.uuid, {})) for device in found)
        return Page(items=items, total=page.total, next=page.next)

    async def uses(self, actor: Actor) -> Sequence[TagUse]:
        """Every key that is on a device, with how many have it."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._store.uses(tx)

    async def values(self, actor: Actor, key: str) -> Sequence[str]:
        """Every value that stands under the key."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._store.values(tx, tag_key(key))

    async def _apply(self, actor: Actor, uuids: Sequence[DeviceUuid], tags: Mapping[str, str]) -> None:
        async with self._transactions.begin() as tx:
            await self._devices.check_known(tx, uuids, to_change=True)
            (await self._rules(tx)).check(tags)
            before = await self._store.of(tx, uuids)
            put = {uuid: changes(mine := before.get(uuid, {}), merged(mine, tags))[0] for uuid in uuids}
            await self._store.put(tx, put, self._clock.now())
            for uuid in uuids:
                self._tell(tx, actor, uuid, put[uuid])

    async def _change(
        self, tx: Transaction, actor: Actor, uuid: DeviceUuid, before: Mapping[str, str], after: Mapping[str, str]
    ) -> None:
        """Write the difference, and tell it."""
        put, removed = changes(before, after)
        await self._store.put(tx, {uuid: put}, self._clock.now())
        await self._store.remove(tx, uuid, removed)
        self._tell(tx, actor, uuid, put, removed)

    def _tell(
        self, tx: Transaction, actor: Actor, uuid: DeviceUuid, put: Mapping[str, str], removed: tuple[str, ...] = ()
    ) -> None:
        if put or removed:
            told = tuple(f"{key}={value}" for key, value in put.items())
            tx.announce(DeviceTagged(at=self._clock.now(), by=actor.reference, uuid=uuid, put=told, removed=removed))

    async def _of(self, tx: Transaction, uuid: DeviceUuid) -> Mapping[str, str]:
        return (await self._store.of(tx, [uuid])).get(uuid, {})

    async def _rules(self, tx: Transaction) -> Rules:
        return Rules(by_key={each.key: each for each in await self._definitions.all(tx)})
