"""The states of devices in SQL."""

import pytest
import pytest_asyncio

from adapters.sql.device_state import SqlDesiredStateStore, SqlReportedStateStore
from adapters.sql.devices import SqlDeviceStore
from adapters.sql.endpoint_changes import SqlEndpointChangeStore
from adapters.sql.sqlite import SqliteTransactions
from core.devices import Device
from tests.contracts.desired_state_store import DesiredStateStoreContract, a_draft, a_version
from tests.contracts.endpoint_change_store import EndpointChangeStoreContract, a_change
from tests.contracts.reported_state_store import FULL, ReportedStateStoreContract
from tests.support.clock import NOON
from tests.support.states import UUID


@pytest_asyncio.fixture
async def units(transactions: SqliteTransactions) -> SqliteTransactions:
    """Transactions on a database that knows one device."""
    device = Device(uuid=UUID, name="gateway", type="standalone", created_at=NOON, modified_at=NOON)
    async with transactions.begin() as tx:
        await SqlDeviceStore().add(tx, device)
    return transactions


class TestDesiredStates(DesiredStateStoreContract):
    """SqlDesiredStateStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlDesiredStateStore:
        """The store."""
        return SqlDesiredStateStore()


class TestReportedStates(ReportedStateStoreContract):
    """SqlReportedStateStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlReportedStateStore:
        """The store."""
        return SqlReportedStateStore()


class TestEndpointChanges(EndpointChangeStoreContract):
    """SqlEndpointChangeStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlEndpointChangeStore:
        """The store."""
        return SqlEndpointChangeStore()


async def test_the_states_of_a_removed_device_go_with_it(units: SqliteTransactions) -> None:
    desired, reported, endpoints = SqlDesiredStateStore(), SqlReportedStateStore(), SqlEndpointChangeStore()
    async with units.begin() as tx:
        await desired.deploy(tx, a_version(1))
        await desired.save_draft(tx, a_draft(1))
        await reported.save(tx, FULL)
        await endpoints.add(tx, UUID, [a_change(1)])
        await SqlDeviceStore().remove(tx, UUID)
    async with units.read() as tx:
        assert await desired.deployed(tx, UUID) is None
        assert await desired.draft(tx, UUID) is None
        assert await reported.find(tx, UUID) is None
        assert await endpoints.last(tx, UUID, "modbus", "boiler", since=NOON, limit=9) == []
