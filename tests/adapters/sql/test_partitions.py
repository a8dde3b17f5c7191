"""Months come and go, rows find their way home, and nothing stops meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from attrs import frozen
from sqlalchemy import func, select, text

from adapters.sql.months import AUDIT, LOGS, METRICS, READINGS, Kept, SeriesState
from adapters.sql.partitions import PostgresPartitions
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_locks import number_of
from adapters.sql.signals import LocalSignals
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.telemetry_readings import SqlReadingStore
from core.errors import Unavailable
from core.ids import DeviceUuid
from core.telemetry import ReadingQuery
from tests.contracts.telemetry_parts import NOW, a_reading, a_sample, new_uuid
from tests.support.clock import TestClock

DAY = timedelta(days=1)
_MONTHS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname ~ '_[0-9]{4}_[0-9]{2}$'"
AGES = {METRICS: 30 * DAY, LOGS: 30 * DAY, READINGS: 90 * DAY, AUDIT: 365 * DAY}


@frozen
class Database:
    """A database in use, and who looks after its months."""

    transactions: PostgresTransactions
    partitions: PostgresPartitions
    clock: TestClock
    readings: SqlReadingStore = SqlReadingStore()

    async def put(self, uuid: DeviceUuid, *moments: datetime, clamped: bool = False) -> None:
        """Readings of these times, received now."""
        many = [
            a_reading((NOW - moment).total_seconds(), digest=str(moment).encode(), time_clamped=clamped)
            for moment in moments
        ]
        async with self.transactions.begin() as tx:
            await self.readings.add(tx, uuid, self.clock.now(), many)

    async def lying_in(self, table: str = "readings") -> dict[str, int]:
        """How many rows lie in which partition."""
        counted = select(text("tableoid::regclass::text AS name"), func.count().label("number"))
        async with self.transactions.read() as tx:
            rows = await tx.rows(counted.select_from(text(table)).group_by(text("tableoid")))
        return {row.name: row.number for row in rows}

    async def state(self, table: str = "readings") -> SeriesState:
        """How a table is now."""
        states = await self.partitions.check(self.clock.now())
        return next(state for state in states if state.series.table == table)


@pytest_asyncio.fixture
async def database(postgres_url: str, clock: TestClock) -> AsyncIterator[Database]:
    """A database with the months around noon of 24 November 2026."""
    transactions = PostgresTransactions(postgres_url, LocalSignals())
    async with transactions.begin() as tx:
        # Those that the migration has made are of the day on which the test runs.
        for row in await tx.rows(text(_MONTHS)):
            await tx.run(text(f"DROP TABLE {row.relname}"))
    partitions = PostgresPartitions(postgres_url, Kept(ages=AGES))
    await partitions.maintain(clock.now())
    yield Database(transactions, partitions, clock)
    await transactions.close()


def names(state: SeriesState) -> list[str]:
    """Its months."""
    return [each.name for each in state.partitions if each.start]


async def test_months_are_there_from_the_last_one_to_three_ahead(database: Database) -> None:
    months = ["2026_10", "2026_11", "2026_12", "2027_01", "2027_02"]
    assert names(await database.state("device_logs")) == [f"device_logs_{month}" for month in months]
    assert (await database.state("device_logs")).faults == []


async def test_a_later_month_lacks_one_and_gets_it(database: Database) -> None:
    database.clock.advance(days=7)
    assert (await database.state()).faults == ["readings_2027_03 is missing"]
    assert "readings_2027_03" in (await database.partitions.fix(database.clock.now())).made
    assert (await database.state()).faults == []


async def test_doing_it_twice_changes_nothing(database: Database) -> None:
    database.clock.advance(days=100)
    await database.partitions.maintain(database.clock.now())
    again = await database.partitions.maintain(database.clock.now())
    assert (again.made, again.moved, again.dropped) == ([], 0, [])


async def test_nothing_stops_when_the_months_have_run_out(database: Database) -> None:
    uuid = new_uuid()
    moments = [NOW + timedelta(days=days) for days in (150, 180)]
    database.clock.advance(days=180)
    await database.put(uuid, *moments)
    assert await database.lying_in() == {"readings_default": 2}
    assert (await database.state()).astray == 2
    done = await database.partitions.maintain(database.clock.now())
    assert done.moved == 2
    assert await database.lying_in() == {"readings_2027_04": 1, "readings_2027_05": 1}
    state = await database.state()
    assert state.faults == []
    assert "readings_2027_03" in names(state)


async def test_rows_of_clocks_gone_mad_stay_where_they_harm_nobody(database: Database) -> None:
    uuid = new_uuid()
    await database.put(uuid, datetime(2016, 2, 29, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC))
    done = await database.partitions.maintain(database.clock.now())
    assert (done.made, done.moved) == ([], 0)
    assert await database.lying_in() == {"readings_default": 2}


async def test_a_month_begins_at_midnight_utc_and_belongs_to_itself(database: Database) -> None:
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    await database.put(new_uuid(), begin - timedelta(microseconds=1), begin)
    assert await database.lying_in() == {"readings_2026_11": 1, "readings_2026_12": 1}


async def test_what_came_home_is_still_known(database: Database) -> None:
    uuid = new_uuid()
    database.clock.advance(days=180)
    known, clamped = NOW + 179 * DAY, NOW + 180 * DAY
    await database.put(uuid, known)
    await database.put(uuid, clamped, clamped=True)
    await database.partitions.fix(database.clock.now())
    await database.put(uuid, known)
    await database.put(uuid, clamped, clamped=True)
    async with database.transactions.begin() as tx:
        again = a_reading(-(180 * DAY + DAY).total_seconds(), digest=str(clamped).encode(), time_clamped=True)
        await database.readings.add(tx, uuid, database.clock.now(), [again])
        assert len(await database.readings.page(tx, uuid, ReadingQuery())) == 2


async def test_a_month_goes_when_all_of_it_is_older_than_it_is_kept(database: Database) -> None:
    uuid = new_uuid()
    await database.put(uuid, NOW)
    await database.put(uuid, NOW - 1 * DAY, clamped=True)
    database.clock.jump(datetime(2027, 2, 28, 23, tzinfo=UTC))
    assert "readings_2026_11" not in (await database.partitions.maintain(database.clock.now())).dropped
    database.clock.jump(datetime(2027, 3, 1, 1, tzinfo=UTC))
    assert "readings_2026_11 is older than it is kept" in (await database.state()).faults
    assert "readings_2026_11" in (await database.partitions.maintain(database.clock.now())).dropped
    assert await database.lying_in() == {}
    assert await database.lying_in("clamped_readings") == {}


async def test_a_month_stays_for_the_sake_of_what_came_late(database: Database) -> None:
    uuid = new_uuid()
    await database.put(uuid, NOW)
    database.clock.jump(datetime(2027, 2, 27, tzinfo=UTC))
    await database.put(uuid, NOW + timedelta(hours=1))
    database.clock.jump(datetime(2027, 3, 2, tzinfo=UTC))
    assert "readings_2026_11" not in (await database.partitions.maintain(database.clock.now())).dropped
    assert await database.lying_in() == {"readings_2026_11": 2}
    async with database.transactions.begin() as tx:
        assert await database.readings.drop_before(tx, database.clock.now() - AGES[READINGS], 10) == 1
    assert await database.lying_in() == {"readings_2026_11": 1}


async def test_a_second_one_is_told_that_somebody_is_at_it(database: Database, postgres_url: str) -> None:
    locked = "SELECT pg_advisory_lock(:number)"
    async with database.transactions.begin() as tx:
        await tx.value(text(locked), {"number": number_of("partitions")})
        with pytest.raises(Unavailable, match="somebody else"):
            await database.partitions.fix(database.clock.now())


async def test_rows_come_home_while_more_are_coming_and_none_is_lost(database: Database) -> None:
    uuid, stored, metrics = new_uuid(), 0, SqlMetricStore()
    database.clock.advance(days=170)
    first = database.clock.now()
    await database.put(uuid, *(first - timedelta(minutes=n) for n in range(5000)))
    done = asyncio.Event()

    async def ingest() -> None:
        nonlocal stored
        while not done.is_set():
            stored += 1
            await database.put(uuid, first + timedelta(seconds=stored))
            async with database.transactions.begin() as tx:
                await metrics.add(tx, uuid, a_sample(-(170 * DAY).total_seconds() - stored))
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest())
        fixed = await database.partitions.fix(database.clock.now())
        done.set()
    assert fixed.moved >= 5000
    assert sum((await database.lying_in()).values()) == 5000 + stored
    assert sum((await database.lying_in("device_metrics")).values()) == stored
    assert "readings_default" not in await database.lying_in()


async def test_what_a_crash_left_on_its_way_is_found_and_brought_home(database: Database) -> None:
    database.clock.advance(days=180)
    await database.put(new_uuid(), NOW + 180 * DAY)
    async with database.transactions.begin() as tx:
        await tx.run(text("ALTER TABLE readings DETACH PARTITION readings_default"))
        await tx.run(text("ALTER TABLE readings_default RENAME TO readings_moving"))
        await tx.run(text("CREATE TABLE readings_default PARTITION OF readings DEFAULT"))
    assert (await database.state()).astray == 1
    await database.partitions.maintain(database.clock.now())
    assert await database.lying_in() == {"readings_2027_05": 1}
    assert (await database.state()).faults == []
