"""Vital signs in SQL."""

import pytest
import pytest_asyncio

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.vitals import SqlVitalsStore
from core.ids import DeviceUuid
from core.telemetry import Vitals
from tests.contracts.metric_store import MetricStoreContract
from tests.contracts.telemetry_parts import NOW, a_device
from tests.contracts.vitals_store import VitalsStoreContract


class TestMetrics(MetricStoreContract):
    """Series."""

    @pytest.fixture
    def store(self) -> SqlMetricStore:
        """The store."""
        return SqlMetricStore()


class TestVitals(VitalsStoreContract):
    """The latest."""

    @pytest.fixture
    def store(self) -> SqlVitalsStore:
        """The store."""
        return SqlVitalsStore()

    @pytest_asyncio.fixture
    async def known(self, transactions: SqliteTransactions) -> DeviceUuid:
        """A device that is registered."""
        async with transactions.begin() as tx:
            return (await SqlDeviceStore().add(tx, a_device())).uuid

    async def test_they_go_with_the_device(
        self, store: SqlVitalsStore, transactions: SqliteTransactions, known: DeviceUuid
    ) -> None:
        async with transactions.begin() as tx:
            await store.merge(tx, known, NOW, Vitals(cpu_usage=1.0))
            await SqlDeviceStore().remove(tx, known)
            assert await store.latest(tx, known) is None
