"""What may be written under which key: people decide."""

from collections.abc import Sequence

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.errors import Conflict
from core.tags.events import TagDefinitionCreated, TagDefinitionEdited, TagDefinitionRemoved
from core.tags.model import NewTagDefinition, TagDefinition, TagDefinitionEdit
from core.tags.ports import TagDefinitionStore, TagStore
from core.transactions import Transactions

SETTINGS_READ = Permission("settings:read")
SETTINGS_WRITE = Permission("settings:write")


class TagDefinitions:
    """Lists, makes, edits and removes the definitions of tags."""

    def __init__(self, *, transactions: Transactions, store: TagDefinitionStore, tags: TagStore, clock: Clock) -> None:
        self._transactions = transactions
        self._store = store
        self._tags = tags
        self._clock = clock

    async def all(self, actor: Actor) -> Sequence[TagDefinition]:
        """Every definition, in the order of keys."""
        require(actor, SETTINGS_READ)
        async with self._transactions.read() as tx:
            return await self._store.all(tx)

    async def create(self, actor: Actor, wanted: NewTagDefinition) -> TagDefinition:
        """Say what may be written under a key. Conflict if that is said already."""
        require(actor, SETTINGS_WRITE)
        now = self._clock.now()
        definition = TagDefinition(
            key=wanted.key,
            description=wanted.description,
            allowed_values=wanted.allowed_values,
            is_required=wanted.is_required,
            created_at=now,
            created_by=actor.reference,
            updated_at=now,
        )
        async with self._transactions.begin() as tx:
            added = await self._store.add(tx, definition)
            tx.announce(TagDefinitionCreated(at=now, by=actor.reference, tag=added.key))
        return added

    async def edit(self, actor: Actor, key: str, edit: TagDefinitionEdit) -> TagDefinition:
        """Say something else, from now on; what was written before stays. NotFound."""
        require(actor, SETTINGS_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            definition = (await self._store.get(tx, key, to_change=True)).edited(edit, now)
            await self._store.save(tx, definition)
            tx.announce(TagDefinitionEdited(at=now, by=actor.reference, tag=key))
        return definition

    async def remove(self, actor: Actor, key: str) -> None:
        """Say no more of a key. NotFound; Conflict while any device has the tag."""
        require(actor, SETTINGS_WRITE)
        async with self._transactions.begin() as tx:
            await self._store.remove(tx, key)
            if await self._tags.is_used(tx, key):
                raise Conflict(f"devices have the tag {key}: take it off them first")
            tx.announce(TagDefinitionRemoved(at=self._clock.now(), by=actor.reference, tag=key))
