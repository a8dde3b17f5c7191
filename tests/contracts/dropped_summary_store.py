"""What a store of summaries of dropped log lines promises."""

from datetime import datetime

from core.ids import DeviceUuid
from core.telemetry import DroppedSummaryStore
from core.transactions import Transaction, Transactions
from tests.contracts.ageing_store import AgeingStoreContract
from tests.contracts.telemetry_parts import NOW, a_summary, new_uuid


class DroppedSummaryStoreContract(AgeingStoreContract):
    """The tests."""

    async def put(
        self, store: DroppedSummaryStore, tx: Transaction, uuid: DeviceUuid, received: datetime, place: int
    ) -> None:
        """Remember one more row, received at the moment."""
        await store.add(tx, uuid, received, [a_summary(digest=place.to_bytes(2))])

    async def count(self, store: DroppedSummaryStore, tx: Transaction, uuid: DeviceUuid) -> int:
        """How many rows of the device there are."""
        return len(await store.last(tx, uuid, 1000))

    async def test_summaries_come_back_as_they_were_newest_first(
        self, store: DroppedSummaryStore, transactions: Transactions
    ) -> None:
        uuid, old, new = new_uuid(), a_summary(60, digest=b"1"), a_summary(1, digest=b"2", began_at=None)
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [new, old])
            assert list(await store.last(tx, uuid, 10)) == [new, old]
            assert list(await store.last(tx, uuid, 1)) == [new]

    async def test_a_summary_that_comes_again_adds_nothing(
        self, store: DroppedSummaryStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            for _ in range(3):
                await store.add(tx, uuid, NOW, [a_summary(), a_summary(digest=b"2")])
            assert await self.count(store, tx, uuid) == 2
