"""The audit log in SQL."""

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from adapters.sql.audit import SqlAuditStore, audit_log
from adapters.sql.sqlite import SqliteTransactions
from core.audit import AuditQuery
from tests.contracts.audit_store import AuditStoreContract, an_entry


class TestAudit(AuditStoreContract):
    """SqlAuditStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlAuditStore:
        """The store."""
        return SqlAuditStore()

    async def test_the_database_itself_refuses_to_change_an_entry(
        self, store: SqlAuditStore, transactions: SqliteTransactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, an_entry(1))
        with pytest.raises(IntegrityError, match="never changed"):
            async with transactions.begin() as tx:
                await tx.run(update(audit_log).values(actor="system"))
        async with transactions.read() as tx:
            assert [entry.actor for entry in await store.entries(tx, AuditQuery())] == ["user:7:anna"]
