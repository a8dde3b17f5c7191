"""Logs and summaries of dropped lines in SQL."""

from datetime import datetime

import pytest
from sqlalchemy import func, select

from adapters.sql.telemetry_dropped import SqlDroppedSummaryStore
from adapters.sql.telemetry_logs import SqlLogBatches, SqlLogStore, log_batches
from adapters.sql.transactions import sql
from core.ids import DeviceUuid
from core.telemetry import LogReceipt
from core.transactions import Transaction
from tests.contracts.ageing_store import AgeingStoreContract
from tests.contracts.dropped_summary_store import DroppedSummaryStoreContract
from tests.contracts.log_store import LogStoreContract


class TestLogs(LogStoreContract):
    """Lines."""

    @pytest.fixture
    def store(self) -> SqlLogStore:
        """The store."""
        return SqlLogStore()


class TestDroppedSummaries(DroppedSummaryStoreContract):
    """Summaries."""

    @pytest.fixture
    def store(self) -> SqlDroppedSummaryStore:
        """The store."""
        return SqlDroppedSummaryStore()


class TestLogBatches(AgeingStoreContract):
    """Names of batches."""

    @pytest.fixture
    def store(self) -> SqlLogBatches:
        """The store."""
        return SqlLogBatches()

    async def put(
        self, store: SqlLogBatches, tx: Transaction, uuid: DeviceUuid, received: datetime, place: int
    ) -> None:
        """Remember one more row, received at the moment."""
        await SqlLogStore().claim(tx, uuid, f"batch {place}", received, LogReceipt(received=1, rejected=0))

    async def count(self, store: SqlLogBatches, tx: Transaction, uuid: DeviceUuid) -> int:
        """How many rows of the device there are."""
        theirs = select(func.count()).select_from(log_batches).where(log_batches.c.device_uuid == uuid)
        return int(await sql(tx).value(theirs))
