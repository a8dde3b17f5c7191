"""Units that share a transaction on PostgreSQL: none sees, spoils or holds up another."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import Text, cast, column, func, select, text

from adapters.sql.device_state import SqlReportedStateStore
from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_work import COPIED
from adapters.sql.signals import LocalSignals
from adapters.sql.telemetry_logs import SqlLogStore
from adapters.sql.telemetry_metrics import SqlMetricStore, device_metrics
from adapters.sql.vitals import SqlVitalsStore
from core.device_state import Reported
from core.errors import Conflict, Unavailable
from core.ids import DeviceUuid
from core.telemetry import LogQuery, Vitals
from tests.contracts.telemetry_parts import NOW, a_device, a_line, a_sample, new_uuid

STATES, METRICS, VITALS, LOGS = SqlReportedStateStore(), SqlMetricStore(), SqlVitalsStore(), SqlLogStore()
PATIENCE = 10.0
Processes = tuple[PostgresTransactions, PostgresTransactions]


@pytest_asyncio.fixture
async def processes(postgres_url: str) -> AsyncIterator[Processes]:
    """What two processes have of one database."""
    one, other = (PostgresTransactions(postgres_url, LocalSignals(), most=3) for _ in range(2))
    yield one, other
    await one.close()
    await other.close()


@pytest.fixture
def units(processes: Processes) -> PostgresTransactions:
    """Those of one of them."""
    return processes[0]


@pytest_asyncio.fixture
async def known(units: PostgresTransactions) -> Sequence[DeviceUuid]:
    """Devices that have reported once."""
    async with units.begin() as tx:
        added = [(await SqlDeviceStore().add(tx, a_device())).uuid for _ in range(8)]
        for uuid in added:
            await STATES.save(tx, Reported(uuid=uuid, reported_at=NOW, version=0))
    return added


async def measure(units: PostgresTransactions, uuid: DeviceUuid) -> None:
    async with units.begin() as tx:
        await METRICS.add(tx, uuid, a_sample(cpu_usage=1.0))
        await VITALS.merge(tx, uuid, NOW, Vitals(cpu_usage=1.0))


async def count_up(units: PostgresTransactions, uuid: DeviceUuid) -> None:
    """Report a version one higher than the last, however often somebody else is quicker."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with units.begin() as tx:
                    before = await STATES.find(tx, uuid, to_change=True)
                    assert before is not None
                    assert before.version is not None
                    await STATES.save(tx, Reported(uuid=uuid, reported_at=NOW, version=before.version + 1))
                    await METRICS.add(tx, uuid, a_sample(cpu_usage=1.0))
            except Conflict:
                continue
            return


async def version(units: PostgresTransactions, uuid: DeviceUuid) -> int | None:
    async with units.read() as tx:
        found = await STATES.find(tx, uuid)
    return found.version if found else None


async def samples(units: PostgresTransactions, uuid: DeviceUuid) -> int:
    async with units.read() as tx:
        return len(await METRICS.last(tx, uuid, 1000))


async def test_units_that_come_together_share_a_transaction(
    units: PostgresTransactions, known: Sequence[DeviceUuid]
) -> None:
    await asyncio.gather(*(measure(units, uuid) for uuid in known))
    transaction = cast(column("xmin", _selectable=device_metrics), Text)
    async with units.read() as tx:
        row = await tx.row(select(func.count(transaction.distinct()).label("shared"), func.count().label("rows")))
    assert row is not None
    assert (row.shared, row.rows) == (1, len(known))
    assert (units.groups.committed_units, units.groups.failed_commits) == (len(known), 0)


async def test_a_unit_that_fails_fails_alone(units: PostgresTransactions, known: Sequence[DeviceUuid]) -> None:
    stranger = new_uuid()
    ends = await asyncio.gather(*(measure(units, uuid) for uuid in [*known, stranger]), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None)] * len(known) + [Unavailable]
    assert [await samples(units, uuid) for uuid in [*known, stranger]] == [1] * len(known) + [0]


async def test_what_cannot_be_encoded_fails_alone(units: PostgresTransactions, known: Sequence[DeviceUuid]) -> None:
    async def odd() -> None:
        async with units.begin() as tx:
            await METRICS.add(tx, known[0], a_sample(top_processes=[{"name": object()}]))

    end, *others = await asyncio.gather(odd(), *(measure(units, uuid) for uuid in known), return_exceptions=True)
    assert isinstance(end, TypeError)
    assert others == [None] * len(known)


async def test_what_a_unit_has_added_it_sees(units: PostgresTransactions, known: Sequence[DeviceUuid]) -> None:
    async with units.begin() as tx:
        await METRICS.add(tx, known[0], a_sample(cpu_usage=7.0))
        assert [each.vitals.cpu_usage for each in await METRICS.last(tx, known[0], 10)] == [7.0]
        await METRICS.add(tx, known[0], a_sample(cpu_usage=8.0))
    assert await samples(units, known[0]) == 2


async def test_what_was_added_before_an_error_is_not_kept(
    units: PostgresTransactions, known: Sequence[DeviceUuid]
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with units.begin() as tx:
            await METRICS.add(tx, known[0], a_sample(cpu_usage=1.0))
            raise ZeroDivisionError
    assert await samples(units, known[0]) == 0


async def test_units_of_a_process_that_change_the_same_take_turns(
    units: PostgresTransactions, known: Sequence[DeviceUuid]
) -> None:
    async def change() -> None:
        async with units.begin() as tx:
            before = await STATES.find(tx, known[0], to_change=True)
            assert before is not None
            assert before.version is not None
            await asyncio.sleep(0)
            await STATES.save(tx, Reported(uuid=known[0], reported_at=NOW, version=before.version + 1))

    await asyncio.gather(*(change() for _ in range(10)))
    assert await version(units, known[0]) == 10


async def test_who_was_overtaken_by_another_process_is_told_and_nothing_of_it_is_kept(
    processes: Processes, known: Sequence[DeviceUuid]
) -> None:
    one, other = processes
    with pytest.raises(Conflict):
        async with one.begin() as tx:
            assert await STATES.find(tx, known[0], to_change=True)
            await count_up(other, known[0])
            await STATES.save(tx, Reported(uuid=known[0], reported_at=NOW, version=70))
            await METRICS.add(tx, known[0], a_sample(cpu_usage=1.0))
    assert (await version(one, known[0]), await samples(one, known[0])) == (1, 1)


async def test_who_was_overtaken_is_told_also_in_a_transaction_of_its_own(
    processes: Processes, known: Sequence[DeviceUuid]
) -> None:
    one, other = processes
    with pytest.raises(Conflict):
        async with one.begin() as tx:
            assert await STATES.find(tx, known[0], to_change=True)
            await tx.value(text("SELECT 1"))
            await count_up(other, known[0])
            await STATES.save(tx, Reported(uuid=known[0], reported_at=NOW, version=70))
    assert await version(one, known[0]) == 1


async def test_processes_that_change_the_same_lose_nothing(processes: Processes, known: Sequence[DeviceUuid]) -> None:
    turns = [(process, uuid) for process in processes for uuid in known[:3] for _ in range(5)]
    await asyncio.gather(*(count_up(process, uuid) for process, uuid in turns))
    assert [await version(processes[0], uuid) for uuid in known[:3]] == [10] * 3
    assert [await samples(processes[0], uuid) for uuid in known[:3]] == [10] * 3


async def test_whoever_waits_for_a_locked_row_holds_up_nobody_else(
    processes: Processes, known: Sequence[DeviceUuid]
) -> None:
    one, other = processes
    released = asyncio.Event()

    async def hold() -> None:
        async with other.begin() as tx:
            await tx.run(text("UPDATE reported_states SET version = 40 WHERE device_uuid = :of"), {"of": known[0]})
            holding.set()
            await released.wait()

    holding = asyncio.Event()
    held = asyncio.create_task(hold())
    await holding.wait()
    waiting = asyncio.create_task(count_up(one, known[0]))
    await asyncio.gather(*(count_up(one, uuid) for uuid in known[1:]))
    assert not waiting.done()
    released.set()
    await asyncio.gather(held, waiting)
    assert await version(one, known[0]) == 41


async def test_what_was_acknowledged_is_there_whatever_breaks(
    postgres_url: str, processes: Processes, known: Sequence[DeviceUuid]
) -> None:
    one, other = processes
    ends: list[BaseException | None] = []
    kept = asyncio.Event()

    async def many(uuid: DeviceUuid) -> None:
        for _ in range(20):
            [end] = await asyncio.gather(measure(one, uuid), return_exceptions=True)
            ends.append(end)
            if end is None:
                kept.set()

    async def cut() -> None:
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
            for _ in range(3):
                kept.clear()
                await kept.wait()
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    await asyncio.gather(cut(), *(many(uuid) for uuid in known[:4]))
    failed = [end for end in ends if end is not None]
    assert {type(end) for end in failed} == {Unavailable}
    # One that broke between the commit and its answer is there, though nobody could say so.
    stored = sum([await samples(other, uuid) for uuid in known[:4]])
    assert len(ends) - len(failed) <= stored <= len(ends)


async def test_many_rows_are_copied_and_few_are_not_and_none_differs(units: PostgresTransactions) -> None:
    few, many = new_uuid(), new_uuid()
    lines = [a_line(0, message=f"a\t\\N {n} \0 ü", context={"n": [n, None, "\0"]}) for n in range(COPIED)]
    for uuid, some in ((few, lines[:3]), (many, lines)):
        async with units.begin() as tx:
            await LOGS.add(tx, uuid, NOW, some)
    async with units.read() as tx:
        found = [[each.line for each in await LOGS.page(tx, uuid, LogQuery(limit=1000))] for uuid in (few, many)]
    assert found[0] == found[1][-3:]
    assert found[1][0].message == f"a\t\\N {COPIED - 1} \ufffd ü"
    assert found[1][0].context == {"n": [COPIED - 1, None, "\ufffd"]}


async def test_whatever_two_processes_do_they_do_not_wait_for_each_other_in_a_circle(
    processes: Processes, known: Sequence[DeviceUuid]
) -> None:
    chance = random.Random(20261124)

    async def liveness(units: PostgresTransactions, uuid: DeviceUuid) -> None:
        async with units.begin() as tx:
            await SqlLivenessStore().heard(tx, dict.fromkeys(chance.sample(known, 4), NOW) | {uuid: NOW})

    async def act(units: PostgresTransactions) -> None:
        for _ in range(12):
            await chance.choice((count_up, measure, liveness))(units, chance.choice(known))

    before = await deadlocks(processes[0])
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(act(process) for process in processes for _ in range(8)))
    assert await deadlocks(processes[0]) == before


async def deadlocks(units: PostgresTransactions) -> int:
    async with units.read() as tx:
        return int(await tx.value(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")))
