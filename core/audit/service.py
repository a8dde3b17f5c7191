"""The audit log: who did what, when, and from where."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from core.actor import Actor, Permission
from core.audit.model import AuditEntry, AuditQuery, entry_of
from core.audit.ports import AuditStore
from core.audit.settings import AUDIT_MAX, RETENTION_DAYS
from core.checks import require
from core.clock import Clock
from core.events import Announced, AnySubscription, Event, Subscription
from core.pages import Page
from core.settings import Settings
from core.transactions import Transactions

# Not for everybody who may read settings: it holds what people typed as their name at logins that failed.
AUDIT_READ = Permission("settings:write")

FORGOTTEN_AT_ONCE = 1000


class AuditLog:
    """Writes down every event there is. Nothing can be left out: an event is announced with what it tells of."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: AuditStore,
        settings: Settings,
        clock: Clock,
        most_bytes: int | None = None,
    ) -> None:
        """`most_bytes` replaces the setting where less than that has room."""
        self._transactions = transactions
        self._store = store
        self._kept_for = timedelta(days=settings[RETENTION_DAYS])
        self._most_bytes = settings[AUDIT_MAX] if most_bytes is None else most_bytes
        self._clock = clock

    def subscriptions(self) -> Sequence[AnySubscription]:
        """Everything."""
        return [Subscription(name="audit.log", events=(Event,), reaction=self.record, at_once=True)]

    async def record(self, announced: Announced[Any]) -> None:
        """Write an event down, once however often it is delivered."""
        async with self._transactions.begin() as tx:
            await self._store.add(tx, entry_of(announced))

    async def entries(self, actor: Actor, query: AuditQuery) -> Page[AuditEntry]:
        """Some of what was written down, newest first."""
        require(actor, AUDIT_READ)
        async with self._transactions.read() as tx:
            found = await self._store.entries(tx, query)
        items = tuple(found[: query.limit])
        return Page(items=items, next=str(items[-1].id) if len(found) > query.limit else None)

    async def forget_old(self) -> int:
        """Forget what is older than it has to be, then the oldest of what is too much; how many entries.

        Others may write in between.
        """
        moment, forgotten = self._clock.now() - self._kept_for, 0
        while True:
            async with self._transactions.begin() as tx:
                some = await self._store.forget_before(tx, moment, FORGOTTEN_AT_ONCE)
            forgotten += some
            if some < FORGOTTEN_AT_ONCE:
                return forgotten + await self._forget_surplus()

    async def _forget_surplus(self) -> int:
        async with self._transactions.read() as tx:
            surplus = (await self._store.extent(tx)).surplus(self._most_bytes)
        for begin in range(0, surplus, FORGOTTEN_AT_ONCE):
            async with self._transactions.begin() as tx:
                if not await self._store.forget_oldest(tx, min(FORGOTTEN_AT_ONCE, surplus - begin)):
                    return begin
        return surplus
