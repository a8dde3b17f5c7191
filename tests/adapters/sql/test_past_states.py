"""What devices ran in the past in SQL."""

import pytest
import pytest_asyncio

from adapters.sql.device_state import SqlDesiredStateStore
from adapters.sql.devices import SqlDeviceStore
from adapters.sql.past_states import SqlPastStateStore
from adapters.sql.sqlite import SqliteTransactions
from core.devices import Device
from tests.contracts.past_state_store import PastStateStoreContract, a_version, after
from tests.support.clock import NOON
from tests.support.states import UUID


class TestPastStates(PastStateStoreContract):
    """SqlPastStateStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlPastStateStore:
        """The store."""
        return SqlPastStateStore()

    @pytest.fixture
    def desired(self) -> SqlDesiredStateStore:
        """What people deploy."""
        return SqlDesiredStateStore()

    @pytest_asyncio.fixture
    async def units(self, transactions: SqliteTransactions) -> SqliteTransactions:
        """Transactions on a database that knows one device."""
        device = Device(uuid=UUID, name="gateway", type="standalone", created_at=NOON, modified_at=NOON)
        async with transactions.begin() as tx:
            await SqlDeviceStore().add(tx, device)
        return transactions

    async def test_the_past_of_a_removed_device_goes_with_it(
        self, store: SqlPastStateStore, units: SqliteTransactions
    ) -> None:
        async with units.begin() as tx:
            await store.remember(tx, a_version(1), 5)
            await SqlDeviceStore().remove(tx, UUID)
            assert await store.reported(tx, UUID, after(9)) is None
