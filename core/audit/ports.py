"""What the audit log needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.audit.model import AuditEntry, AuditQuery
from core.extents import Extent
from core.transactions import Transaction


class AuditStore(Protocol):
    """Keeps entries. There is no way to change one. tests/contracts/audit_store.py says exactly how."""

    async def add(self, tx: Transaction, entry: AuditEntry) -> None:
        """Keep an entry; nothing happens if one of the same announcement is kept already."""

    async def entries(self, tx: Transaction, query: AuditQuery) -> Sequence[AuditEntry]:
        """Those asked for, newest first, at most `query.limit` + 1 of them: one more tells that there are more."""

    async def forget_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget the oldest entries from before the moment, at most so many at once; how many."""

    async def forget_oldest(self, tx: Transaction, most: int) -> int:
        """Forget so many of the oldest entries, whenever they were written; how many there were."""

    async def extent(self, tx: Transaction) -> Extent:
        """About how much there is. Looks at some entries only, however many there are."""
