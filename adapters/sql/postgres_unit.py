"""One unit of change on PostgreSQL."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import bindparam, func, select

from adapters.sql.batches import TOKEN, Changes, Keyed, Rows
from adapters.sql.outbox import ANNOUNCED, announced_row
from adapters.sql.postgres_groups import changed_meanwhile
from adapters.sql.postgres_hints import CHANNEL
from adapters.sql.postgres_statements import Own, Statements
from adapters.sql.postgres_taking import Taking
from adapters.sql.postgres_work import Work, write
from adapters.sql.prepared import Preparations
from core.events import Event

_NOTIFY = select(func.pg_notify(bindparam("channel"), bindparam("payload")))


class PostgresTransaction(Statements):
    """Implements `SqlTransaction`.

    As long as a unit only adds rows and takes such as it replaces, it has no connection: its writes are left to a group
    (`postgres_groups`). With the first statement of another sort it goes on in a transaction of its own.
    """

    def __init__(self, connect: Callable[[], Awaitable[Own]], taking: Taking, preparations: Preparations) -> None:
        super().__init__(preparations)
        self._connect = connect
        self._own: Own | None = None
        self._taking = taking
        self._taken: dict[tuple[Keyed, str], Any] = {}
        self._held: list[tuple[Keyed, str]] = []
        self.work = Work()
        self.signals: list[tuple[str, str]] = []
        self.hints: list[tuple[str, str]] = []

    async def add(self, kind: Rows | Changes, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows with the group, or before the next statement of the unit's own."""
        self.work.add(kind, rows)

    async def take(self, kind: Keyed, key: str) -> Any | None:
        """The row as it is now."""
        if self._own is not None or self.work:
            # What the unit itself has written has to be seen, and then it may as well be locked.
            return await self.row(kind.select.with_for_update(), {"key": key})
        if (kind, key) not in self._taken:
            self._taken[kind, key] = await self._taking.take(kind, key)
            self._held.append((kind, key))
        return self._taken[kind, key]

    async def replace(self, kind: Keyed, key: str, values: Mapping[str, Any]) -> bool:
        """Give the row that was taken these values."""
        before = self._taken.get((kind, key))
        if before is None or (kind, key) in self.work.replacements:
            return await self.run(kind.update, {**values, "of": key}) > 0
        replacement = kind.replacement(before, values)
        self.work.replacements[kind, key] = (replacement, replacement.row(key, getattr(before, TOKEN), values))
        return True

    def announce(self, event: Event) -> None:
        """Write the fact down with the unit."""
        self.work.add(ANNOUNCED, [announced_row(event)])
        self.hints.append(("outbox", ""))

    def signal(self, topic: str, key: str) -> None:
        """Keep the signal for after the commit."""
        self.signals.append((topic, key))

    def hint(self, topic: str, key: str) -> None:
        """Keep the hint for after the commit."""
        self.hints.append((topic, key))

    @property
    def own(self) -> bool:
        """Whether the unit has a transaction of its own."""
        return self._own is not None

    async def finish(self, notification: str) -> None:
        """Send what has not been sent yet, and have the commit tell the other processes what was signalled.

        Raises RuntimeError when a statement had failed and somebody went on all the same: PostgreSQL would undo the
        unit and call that a commit.
        """
        own = await self._connected()
        if own.driver.info.transaction_status is TransactionStatus.INERROR:
            raise RuntimeError("a statement of this unit has failed, nothing of the unit can be kept")
        if self.signals:
            await self.rows(_NOTIFY, {"channel": CHANNEL, "payload": notification})

    def give_back(self) -> None:
        """Let others have what was taken."""
        for kind, key in self._held:
            self._taking.give_back(kind, key)

    async def _connected(self) -> Own:
        """The unit's own connection, to which everything has been sent."""
        if self._own is None:
            self._own = await self._connect()
        own = self._own
        if self.work and own.driver.info.transaction_status is not TransactionStatus.INERROR:
            work, self.work = self.work, Work()
            # The versions that were read are not those that are there now.
            for key in work.replacements:
                del self._taken[key]
            with own.pulse.answering(own.wait):
                if await write(own.driver, [work]):
                    raise changed_meanwhile()
        return own
