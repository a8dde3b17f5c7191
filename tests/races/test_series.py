"""Devices that speak while people remove them, and processes that count the same at the same moment."""

import asyncio

from adapters.sql.device_state import SqlReportedStateStore
from adapters.sql.monitoring import SqlTopicStore
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.signals import LocalSignals
from adapters.sql.traffic import SqlTrafficStore
from core.device_state import Reported
from core.errors import Conflict, NotFound, Unavailable
from tests.contracts.topic_store import a_record
from tests.contracts.traffic_store import messages, requests
from tests.support.clock import NOON
from tests.support.races import Together, done, refused
from tests.support.states import UUID, States, device_actor

REPORT = {UUID: {"apps": {}, "version": 1, "is_online": True, "os_version": "12", "config": {"a": 1}}}


async def test_counts_of_several_processes_are_added_up_in_whatever_order_they_come(transactions: Together) -> None:
    store = SqlTrafficStore()
    asked = [requests(UUID, endpoint=f"/{number}") for number in range(30)]
    came = [messages(f"t/{number}", 1, 10) for number in range(30)]

    async def flush(*, backwards: bool) -> None:
        async with transactions.begin() as tx:
            await store.add_requests(tx, asked[::-1] if backwards else asked)
            await store.add_topics(tx, came[::-1] if backwards else came)

    outcomes = await transactions.outcomes(*(flush(backwards=bool(number % 2)) for number in range(6)))
    assert refused(outcomes) == []


async def test_topics_that_several_processes_have_seen_are_saved_in_whatever_order_they_come(
    transactions: Together,
) -> None:
    store, records = SqlTopicStore(), [a_record(f"t/{number}") for number in range(30)]

    async def save(*, backwards: bool) -> None:
        async with transactions.begin() as tx:
            await store.schemas(tx, [record.name for record in records])
            await store.add(tx, records[::-1] if backwards else records)

    assert refused(await transactions.outcomes(*(save(backwards=bool(number % 2)) for number in range(6)))) == []


async def test_a_report_of_a_device_that_is_removed_meanwhile_is_refused_and_never_our_mistake(
    states: States, transactions: Together
) -> None:
    for reported_before in (False, True):
        await states.enrol()
        if reported_before:
            await states.reports.receive(device_actor(), REPORT)

        async def remove() -> None:
            async with transactions.begin() as tx:
                await states.devices.remove(tx, UUID)

        outcomes = await transactions.outcomes(states.reports.receive(device_actor(), REPORT), remove())
        assert set(refused(outcomes)) <= {NotFound, Unavailable}
        if isinstance(outcomes[1], Unavailable):
            await remove()


async def test_units_that_wait_for_each_other_in_a_circle_are_told_to_come_again(transactions: Together) -> None:
    store = SqlStoredSettings()

    async def change(first: str, second: str) -> None:
        async with transactions.begin() as tx:
            await store.put(tx, first, 1)
            await store.put(tx, second, 1)

    outcomes = await transactions.outcomes(change("a", "b"), change("b", "a"))
    assert done(outcomes) >= 1
    for outcome in outcomes:
        if outcome is not None:
            assert isinstance(outcome, Unavailable)
            assert outcome.retry_after == 1


async def test_a_setting_that_was_never_set_is_held(transactions: Together) -> None:
    store = SqlStoredSettings()

    async def count() -> None:
        async with transactions.begin() as tx:
            await store.hold(tx, "count")
            await store.put(tx, "count", (await store.get(tx, "count") or 0) + 1)

    await transactions.outcomes(*(count() for _ in range(8)))
    async with transactions.read() as tx:
        assert await store.get(tx, "count") == 8


async def test_of_two_processes_that_keep_a_first_report_one_has_to_look_again(
    states: States, transactions: Together, postgres_url: str
) -> None:
    await states.enrol()
    other = PostgresTransactions(postgres_url, LocalSignals(), most=2)
    both, store = asyncio.Barrier(2), SqlReportedStateStore()

    async def report(process: PostgresTransactions, version: int) -> None:
        async with process.begin() as tx:
            assert await store.find(tx, UUID, to_change=True) is None
            await both.wait()
            await store.save(tx, Reported(uuid=UUID, reported_at=NOON, version=version), first=True)

    outcomes = await transactions.outcomes_of_many([report(transactions.real, 1), report(other, 2)])
    await other.close()
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])
