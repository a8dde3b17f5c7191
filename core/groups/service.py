"""Groups: what people save of questions, and who belongs to them now."""

from collections.abc import Sequence

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.devices import DEVICE_READ, DEVICE_WRITE, DeviceOverview, DeviceOverviews, DeviceQuery
from core.groups.events import GroupCreated, GroupEdited, GroupRemoved
from core.groups.model import DeviceSelector, Group, GroupEdit, NewGroup
from core.groups.ports import GroupStore
from core.ids import DeviceUuid, GroupId
from core.pages import Page
from core.transactions import Transaction, Transactions


class Groups:
    """Lists, makes, edits and removes groups, and tells who their members are."""

    def __init__(
        self, *, transactions: Transactions, store: GroupStore, overviews: DeviceOverviews, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._overviews = overviews
        self._clock = clock

    async def all(self, actor: Actor) -> Sequence[Group]:
        """Every group, in the order of names."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._store.all(tx)

    async def get(self, actor: Actor, group_id: GroupId) -> Group:
        """One group. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._store.get(tx, group_id)

    async def create(self, actor: Actor, wanted: NewGroup) -> Group:
        """Save a question under a name. Conflict if another group has it."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        group = Group(
            name=wanted.name,
            description=wanted.description,
            selector=wanted.selector,
            created_at=now,
            created_by=actor.reference,
            updated_at=now,
        )
        async with self._transactions.begin() as tx:
            added = await self._store.add(tx, group)
            tx.announce(GroupCreated(at=now, by=actor.reference, group_id=added.id, name=added.name))
        return added

    async def edit(self, actor: Actor, group_id: GroupId, edit: GroupEdit) -> Group:
        """Change a group. NotFound; Conflict if another group has the new name."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            group = (await self._store.get(tx, group_id, to_change=True)).edited(edit, now)
            await self._store.save(tx, group)
            tx.announce(GroupEdited(at=now, by=actor.reference, group_id=group_id, name=group.name))
        return group

    async def remove(self, actor: Actor, group_id: GroupId) -> Group:
        """Forget a group; its devices stay. NotFound."""
        require(actor, DEVICE_WRITE)
        async with self._transactions.begin() as tx:
            group = await self._store.get(tx, group_id)
            await self._store.remove(tx, group_id)
            tx.announce(GroupRemoved(at=self._clock.now(), by=actor.reference, group_id=group_id, name=group.name))
        return group

    async def page(self, actor: Actor, group_id: GroupId, query: DeviceQuery) -> Page[DeviceOverview]:
        """Some of the members as people look at them, in the order and on the page that `query` asks for. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            group = await self._store.get(tx, group_id)
            return await self._overviews.page(tx, group.selector.within(query))

    async def members(self, tx: Transaction, group_id: GroupId) -> Sequence[DeviceUuid]:
        """All members at this moment, for who does something with each of them. NotFound.

        The caller has asked for the permission to do so. Devices that have not enrolled yet are members like others.
        """
        return await self.matching(tx, (await self._store.get(tx, group_id)).selector)

    async def matching(self, tx: Transaction, selector: DeviceSelector) -> Sequence[DeviceUuid]:
        """All devices that answer to a selector at this moment, in the order of their numbers; see `members`."""
        return await self._overviews.uuids(tx, selector.within(DeviceQuery()))
