"""A server that answers nothing: nobody waits for it for long."""

import asyncio

import pytest
from sqlalchemy import text

from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_pulse import LOOK_EVERY
from adapters.sql.signals import LocalSignals
from adapters.sql.telemetry_metrics import SqlMetricStore
from core.errors import Unavailable
from tests.contracts.telemetry_parts import a_sample, new_uuid
from tests.support.own_postgres import OwnPostgres

SOON = 12.0


async def write(units: PostgresTransactions) -> None:
    async with units.begin() as tx:
        await SqlMetricStore().add(tx, new_uuid(), a_sample(cpu_usage=1.0))


async def ask(units: PostgresTransactions) -> None:
    async with units.read() as tx:
        await tx.value(text("SELECT 1"))


async def test_a_frozen_server_is_unavailable_soon_for_units_of_their_own_and_shared_ones(
    own_postgres: OwnPostgres, signals: LocalSignals
) -> None:
    units = PostgresTransactions(own_postgres.url, signals, most=2, patience=0.2)
    await asyncio.gather(write(units), ask(units))
    with own_postgres.frozen():
        async with asyncio.timeout(SOON):
            ends = await asyncio.gather(write(units), ask(units), return_exceptions=True)
    assert [type(end) for end in ends] == [Unavailable, Unavailable]
    async with asyncio.timeout(SOON):
        await asyncio.gather(write(units), ask(units))
    await units.close()


async def test_a_server_that_takes_long_but_lives_is_waited_for(postgres_url: str, signals: LocalSignals) -> None:
    units = PostgresTransactions(postgres_url, signals, most=2, patience=0.1)
    async with units.read() as tx:
        await tx.value(text("SELECT pg_sleep(:seconds)"), {"seconds": LOOK_EVERY * 0.6})
    await units.close()


async def test_a_connection_that_was_cut_while_idle_costs_one_group(
    own_postgres: OwnPostgres, signals: LocalSignals
) -> None:
    units = PostgresTransactions(own_postgres.url, signals, most=2)
    await write(units)
    async with units.begin() as tx:
        await tx.rows(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        )
    with pytest.raises(Unavailable):
        await write(units)
    await write(units)
    await units.close()
