"""What groups need from outside."""

from collections.abc import Sequence
from typing import Protocol

from core.groups.model import Group
from core.ids import GroupId
from core.transactions import Transaction


class GroupStore(Protocol):
    """Remembers groups. tests/contracts/group_store.py says exactly how."""

    async def all(self, tx: Transaction) -> Sequence[Group]:
        """Every group, in the order of names."""

    async def get(self, tx: Transaction, group_id: GroupId, *, to_change: bool = False) -> Group:
        """The group. `to_change`, within `begin()`, holds it until the end. NotFound if there is none."""

    async def add(self, tx: Transaction, group: Group) -> Group:
        """Remember a new group; it comes back with its number. Conflict if another has its name."""

    async def save(self, tx: Transaction, group: Group) -> None:
        """Replace what may change. Conflict if another has its name."""

    async def remove(self, tx: Transaction, group_id: GroupId) -> None:
        """Forget the group. NotFound if there is none."""
