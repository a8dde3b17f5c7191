"""What tags need from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.ids import DeviceUuid
from core.tags.model import TagDefinition, TagUse
from core.transactions import Transaction


class TagStore(Protocol):
    """Remembers the tags of devices; they go with the device. tests/contracts/tag_store.py says exactly how."""

    async def of(self, tx: Transaction, uuids: Sequence[DeviceUuid]) -> Mapping[DeviceUuid, Mapping[str, str]]:
        """The tags of each of these devices by key; devices without tags are left out."""

    async def put(self, tx: Transaction, tags: Mapping[DeviceUuid, Mapping[str, str]], now: datetime) -> None:
        """Write tags on devices, over what stood under the same keys. NotFound if there is no such device."""

    async def remove(self, tx: Transaction, uuid: DeviceUuid, keys: Sequence[str]) -> None:
        """Take tags off a device; those that it does not have are passed over."""

    async def uses(self, tx: Transaction) -> Sequence[TagUse]:
        """Every key that is on a device, in the order of the alphabet, with how many have it."""

    async def values(self, tx: Transaction, key: str) -> Sequence[str]:
        """Every value that stands under the key, each once, in order."""

    async def is_used(self, tx: Transaction, key: str) -> bool:
        """Whether any device has the tag."""


class TagDefinitionStore(Protocol):
    """Remembers what may be written under which key. tests/contracts/tag_store.py says exactly how."""

    async def all(self, tx: Transaction) -> Sequence[TagDefinition]:
        """Every definition, in the order of keys."""

    async def add(self, tx: Transaction, definition: TagDefinition) -> TagDefinition:
        """Remember a new definition; it comes back with its number. Conflict if the key has one."""

    async def get(self, tx: Transaction, key: str, *, to_change: bool = False) -> TagDefinition:
        """The definition of a key. `to_change`, within `begin()`, holds it until the end. NotFound if there is none."""

    async def save(self, tx: Transaction, definition: TagDefinition) -> None:
        """Replace what may change."""

    async def remove(self, tx: Transaction, key: str) -> None:
        """Forget the definition. NotFound if there is none."""
