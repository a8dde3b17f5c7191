"""What is asked for with a span of time is read from the months of that time only."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import ClauseElement, Executable, Row, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from adapters.sql.audit import SqlAuditStore
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_unit import PostgresTransaction
from adapters.sql.signals import LocalSignals
from adapters.sql.telemetry_logs import SqlLogStore
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.telemetry_readings import SqlReadingStore
from adapters.sql.transactions import Parameters
from core.audit import AuditQuery
from core.telemetry import LogQuery, ReadingQuery, Span
from tests.contracts.telemetry_parts import new_uuid

MONTHS = "2026-10", "2026-11", "2026-12"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
WITHIN = Span(since=NOW - timedelta(days=10), until=NOW)


class _Explain(Executable, ClauseElement):
    """`EXPLAIN` of a statement."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(_Explain)
def _explained(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN " + compiler.process(element.statement, **options)


class Explaining:
    """A transaction that notes which partitions its queries read."""

    def __init__(self, tx: PostgresTransaction) -> None:
        self._tx = tx
        self.read: set[str] = set()

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """All rows of the plan, which say what is read; then those asked for."""
        plan = await self._tx.rows(_Explain(statement), parameters)
        self.read |= {found for (line,) in plan for found in re.findall(r" on \w+?_(\d{4}_\d\d|default)\b", line)}
        return await self._tx.rows(statement, parameters)

    def announce(self, event: Any) -> None:
        """Nobody does."""

    def signal(self, topic: str, key: str) -> None:
        """Nobody does."""

    def hint(self, topic: str, key: str) -> None:
        """Nobody does."""

    async def run(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """As above, for what is changed."""
        return len(await self.rows(statement, parameters))


@pytest_asyncio.fixture
async def tx(postgres_url: str) -> AsyncIterator[Explaining]:
    """In a database that has the months around NOW."""
    transactions = PostgresTransactions(postgres_url, LocalSignals())
    async with transactions.begin() as opened:
        for table in ("device_metrics", "device_logs", "readings", "audit_log"):
            for month in MONTHS:
                start = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
                end = (start + timedelta(days=31)).replace(day=1)
                name = f"{table}_{month.replace('-', '_')}"
                await opened.run(
                    text(
                        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table}"
                        f" FOR VALUES FROM ('{start}') TO ('{end}')"
                    )
                )
        yield Explaining(opened)
    await transactions.close()


async def test_averages_of_some_days_read_their_month(tx: Explaining) -> None:
    await SqlMetricStore().averages(tx, new_uuid(), NOW, timedelta(days=7), 60)
    assert tx.read == {"2026_11"}


async def test_processes_of_the_last_hours_are_not_looked_for_in_the_past(tx: Explaining) -> None:
    await SqlMetricStore().processes(tx, new_uuid(), NOW, 10)
    assert "2026_10" not in tx.read


async def test_logs_of_some_days_are_read_from_their_month(tx: Explaining) -> None:
    await SqlLogStore().page(tx, new_uuid(), LogQuery(span=WITHIN))
    assert tx.read == {"2026_11"}


async def test_readings_of_a_span_over_two_months_are_read_from_both(tx: Explaining) -> None:
    span = Span(since=NOW - timedelta(days=30), until=NOW)
    await SqlReadingStore().page(tx, new_uuid(), ReadingQuery(span=span))
    assert tx.read == {"2026_10", "2026_11"}


async def test_audit_entries_of_some_days_are_read_from_their_month(tx: Explaining) -> None:
    await SqlAuditStore().entries(tx, AuditQuery(since=WITHIN.since, until=WITHIN.until))
    assert tx.read == {"2026_11"}
