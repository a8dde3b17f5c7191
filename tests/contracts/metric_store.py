"""What a store of vital signs promises."""

from datetime import datetime, timedelta

from attrs import evolve

from core.ids import DeviceUuid
from core.telemetry import MetricStore
from core.transactions import Transaction, Transactions
from tests.contracts.ageing_store import AgeingStoreContract
from tests.contracts.telemetry_parts import NOW, a_sample, new_uuid

HOUR = timedelta(hours=1)
PROCESSES = [{"pid": 1, "name": "init", "cpu": 1.0, "mem": 0.0}]


class MetricStoreContract(AgeingStoreContract):
    """The tests."""

    async def put(self, store: MetricStore, tx: Transaction, uuid: DeviceUuid, received: datetime, place: int) -> None:
        """Remember one more row, received at the moment."""
        await store.add(tx, uuid, evolve(a_sample(cpu_usage=float(place)), recorded_at=received))

    async def count(self, store: MetricStore, tx: Transaction, uuid: DeviceUuid) -> int:
        """How many rows of the device there are."""
        return len(await store.last(tx, uuid, 1000))

    async def test_samples_come_back_as_they_were_newest_first(
        self, store: MetricStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        old = a_sample(60, cpu_usage=1.5, cpu_temp=51.2, memory_usage=1380.0, uptime=2202.24, top_processes=PROCESSES)
        new = a_sample(0, storage_usage=5.0, storage_total=9.0, memory_total=7.0, late=True)
        async with transactions.begin() as tx:
            for sample in (old, new):
                await store.add(tx, uuid, sample)
                await store.add(tx, new_uuid(), sample)
        async with transactions.read() as tx:
            assert list(await store.last(tx, uuid, 10)) == [new, old]
            assert list(await store.last(tx, uuid, 1)) == [new]

    async def test_samples_of_processes_are_found_apart(self, store: MetricStore, transactions: Transactions) -> None:
        uuid, told = new_uuid(), a_sample(60, top_processes=PROCESSES)
        too_old, late = a_sample(7200, top_processes=PROCESSES), a_sample(5, top_processes=PROCESSES, late=True)
        async with transactions.begin() as tx:
            for sample in (too_old, told, a_sample(30, cpu_usage=1.0), late):
                await store.add(tx, uuid, sample)
            assert list(await store.processes(tx, uuid, NOW - HOUR, 10)) == [told]

    async def test_a_period_has_at_most_as_many_points_as_asked_for_and_they_ascend(
        self, store: MetricStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            for second in range(3600, -1, -10):
                await store.add(tx, uuid, a_sample(second, cpu_usage=float(second)))
            points = await store.averages(tx, uuid, NOW, HOUR, 60)
        assert len(points) == 60
        assert [point.recorded_at for point in points] == [NOW - timedelta(minutes=59 - n) for n in range(60)]
        assert points[-1].vitals.cpu_usage == 25.0

    async def test_a_point_averages_what_was_told_and_shows_the_processes_of_its_last_sample(
        self, store: MetricStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add(tx, uuid, a_sample(50, cpu_usage=10.0, cpu_temp=50.0, top_processes=[]))
            await store.add(tx, uuid, a_sample(40, cpu_usage=20.0, top_processes=PROCESSES))
            await store.add(tx, uuid, a_sample(30, cpu_usage=99.0, late=True))
            (point,) = await store.averages(tx, uuid, NOW, HOUR, 60)
        wanted = a_sample(40, cpu_usage=15.0, cpu_temp=50.0, top_processes=PROCESSES)
        assert point == wanted

    async def test_what_lies_outside_of_a_period_does_not_count(
        self, store: MetricStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            for second in (3600.0, 3700.0, -0.001):
                await store.add(tx, uuid, a_sample(second, cpu_usage=1.0))
            assert list(await store.averages(tx, uuid, NOW, HOUR, 60)) == []
