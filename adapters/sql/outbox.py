"""The outbox in SQL. Implements `core.outbox.OutboxStore`."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from cattrs.preconf.json import make_converter
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from adapters.sql.batches import Rows
from adapters.sql.transactions import SqlTransaction, sql
from adapters.sql.types import Instant, Json, metadata
from core.events import CORRELATION, EVENTS, Announced, Event
from core.outbox import DeadLetter, Failure, lane_of
from core.transactions import Transaction

log = logging.getLogger(__name__)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Column("announced_at", Instant, nullable=False),
    Column("relayed", Integer, nullable=False, server_default="0"),
    Column("correlation_id", Text),
    Column("lane", Integer, nullable=False, server_default="0"),
    Index("ix_outbox_relayed", "relayed", "id"),
    Index("ix_outbox_relayed_lane", "relayed", "lane", "id"),
    sqlite_autoincrement=True,
)
outbox_failures = Table(
    "outbox_failures",
    metadata,
    Column("event_id", BigInteger, ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("reaction", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("retry_at", Instant),
    Index("ix_outbox_failures_retry_at", "retry_at"),
)

_converter = make_converter()


@frozen(kw_only=True)
class UnknownEvent(Event):
    """An event whose type is gone, because the plugin that announced it was removed."""

    name: str


_INSERT = outbox.insert()
ANNOUNCED = Rows(outbox, ("name", "payload", "announced_at", "relayed", "correlation_id", "lane"))
_PENDING = select(outbox).where(outbox.c.relayed == 0).order_by(outbox.c.id).limit(bindparam("most"))
_IN_LANE = _PENDING.where(outbox.c.lane == bindparam("lane"))
_OLDEST = select(outbox.c.announced_at).where(outbox.c.relayed == 0).order_by(outbox.c.id).limit(1)
# One step through the index for each lane; DISTINCT would walk through all that waits.
_FOUND = select(func.min(outbox.c.lane).label("lane")).where(outbox.c.relayed == 0).cte("found", recursive=True)
_NEXT = select(func.min(outbox.c.lane)).where(outbox.c.relayed == 0, outbox.c.lane > _FOUND.c.lane)
_EACH = _FOUND.union_all(select(_NEXT.scalar_subquery()).where(_FOUND.c.lane.is_not(None)))
_LANES = select(_EACH.c.lane).where(_EACH.c.lane.is_not(None)).order_by(_EACH.c.lane)
_DUE = (
    select(outbox_failures, outbox)
    .join(outbox, outbox.c.id == outbox_failures.c.event_id)
    .where(outbox_failures.c.retry_at <= bindparam("now", type_=Instant))
    .order_by(outbox_failures.c.retry_at)
    .limit(bindparam("most"))
)
_DUE_IN_LANE = _DUE.where(outbox.c.lane == bindparam("lane"))
_LANES_DUE = (
    select(outbox.c.lane)
    .join(outbox_failures, outbox.c.id == outbox_failures.c.event_id)
    .where(outbox_failures.c.retry_at <= bindparam("now", type_=Instant))
    .distinct()
    .order_by(outbox.c.lane)
)
_FAILURE_OF_EVENT = exists().where(outbox_failures.c.event_id == outbox.c.id)


async def insert_announcement(tx: SqlTransaction, event: Event) -> None:
    """Write the event down in the transaction that announces it."""
    await tx.run(_INSERT, announced_row(event))


def announced_row(event: Event) -> dict[str, Any]:
    """The row of an event that is announced now."""
    return {
        "name": event.NAME,
        "payload": _converter.unstructure(event),
        "announced_at": event.at,
        "relayed": 0,
        "correlation_id": CORRELATION.get(),
        "lane": lane_of(event),
    }


def event_from(name: str, payload: Any) -> Event:
    """The event as it was announced, if its type is still known and has the same fields; else its bare facts."""
    kind = EVENTS.get(name)
    if kind is not None:
        try:
            return _converter.structure(payload, kind)
        except Exception:
            # Of another version of its plugin. It must not keep all that come after it from being told.
            log.exception("an announced %s cannot be read any more", name)
    return UnknownEvent(at=datetime.fromisoformat(payload["at"]), by=payload["by"], name=name)


class SqlOutboxStore:
    """Stateless; everything is in the tables."""

    async def pending(self, tx: Transaction, limit: int, lane: int | None = None) -> Sequence[Announced[Any]]:
        """The oldest events nobody has been told of."""
        if lane is None:
            return [_announced(row) for row in await sql(tx).rows(_PENDING, {"most": limit})]
        return [_announced(row) for row in await sql(tx).rows(_IN_LANE, {"most": limit, "lane": lane})]

    async def lanes(self, tx: Transaction) -> Sequence[int]:
        """The lanes in which something waits."""
        return [row.lane for row in await sql(tx).rows(_LANES)]

    async def relayed(self, tx: Transaction, event_ids: Sequence[int], failures: Sequence[Failure]) -> None:
        """Book the failures, drop what needs no more."""
        mine = outbox.c.id.in_(list(event_ids))
        if failures:
            # Whoever had the lane before us, and lost it without knowing, may have settled some of them.
            there = {row.id for row in await sql(tx).rows(select(outbox.c.id).where(mine).with_for_update())}
            rows = [_failure_to_row(failure) for failure in failures if failure.event_id in there]
            if rows:
                await sql(tx).run(sql(tx).insert(outbox_failures).on_conflict_do_nothing(), rows)
        await sql(tx).run(update(outbox).where(mine).values(relayed=1))
        await sql(tx).run(delete(outbox).where(mine, ~_FAILURE_OF_EVENT))

    async def due(
        self, tx: Transaction, now: datetime, limit: int, lane: int | None = None
    ) -> Sequence[tuple[Failure, Announced[Any]]]:
        """Failures whose time has come."""
        parameters: dict[str, Any] = {"now": now, "most": limit}
        if lane is None:
            rows = await sql(tx).rows(_DUE, parameters)
        else:
            rows = await sql(tx).rows(_DUE_IN_LANE, parameters | {"lane": lane})
        return [(_failure(row), _announced(row)) for row in rows]

    async def lanes_due(self, tx: Transaction, now: datetime) -> Sequence[int]:
        """The lanes in which failures are due."""
        return [row.lane for row in await sql(tx).rows(_LANES_DUE, {"now": now})]

    async def settle(self, tx: Transaction, failure: Failure, again: Failure | None) -> None:
        """Replace or forget."""
        mine = (outbox_failures.c.event_id == failure.event_id) & (outbox_failures.c.reaction == failure.reaction)
        if again is not None:
            await sql(tx).run(update(outbox_failures).where(mine).values(_failure_to_row(again)))
            return
        await sql(tx).run(delete(outbox_failures).where(mine))
        done = (outbox.c.id == failure.event_id) & (outbox.c.relayed == 1) & ~_FAILURE_OF_EVENT
        await sql(tx).run(delete(outbox).where(done))

    async def dead(self, tx: Transaction, limit: int) -> Sequence[DeadLetter]:
        """Failures that were given up."""
        statement = (
            select(outbox_failures, outbox.c.name, outbox.c.announced_at)
            .join(outbox, outbox.c.id == outbox_failures.c.event_id)
            .where(outbox_failures.c.retry_at.is_(None))
            .order_by(outbox_failures.c.event_id.desc())
            .limit(limit)
        )
        return [
            DeadLetter(failure=_failure(row), event=row.name, announced_at=row.announced_at)
            for row in await sql(tx).rows(statement)
        ]

    async def count_dead(self, tx: Transaction) -> int:
        """How many failures were given up."""
        statement = select(func.count()).select_from(outbox_failures).where(outbox_failures.c.retry_at.is_(None))
        return int(await sql(tx).value(statement))

    async def revive(self, tx: Transaction, event_id: int, reaction: str, now: datetime) -> bool:
        """Have a dead letter tried again."""
        statement = (
            update(outbox_failures)
            .where(
                outbox_failures.c.event_id == event_id,
                outbox_failures.c.reaction == reaction,
                outbox_failures.c.retry_at.is_(None),
            )
            .values(attempts=0, retry_at=now)
        )
        return await sql(tx).run(statement) > 0

    async def backlog(self, tx: Transaction) -> int:
        """How many wait for their first delivery."""
        return int(await sql(tx).value(select(func.count()).select_from(outbox).where(outbox.c.relayed == 0)))

    async def oldest(self, tx: Transaction) -> datetime | None:
        """When the first of them was announced."""
        row = await sql(tx).row(_OLDEST)
        return None if row is None else row.announced_at


def _announced(row: Row[Any]) -> Announced[Any]:
    return Announced(id=row.id, event=event_from(row.name, row.payload), correlation_id=row.correlation_id)


def _failure(row: Row[Any]) -> Failure:
    return Failure(
        event_id=row.event_id, reaction=row.reaction, attempts=row.attempts, error=row.error, retry_at=row.retry_at
    )


def _failure_to_row(failure: Failure) -> dict[str, Any]:
    return {
        "event_id": failure.event_id,
        "reaction": failure.reaction,
        "attempts": failure.attempts,
        "error": failure.error,
        "retry_at": failure.retry_at,
    }
