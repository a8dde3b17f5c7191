"""Stored settings in SQL. Implements `core.settings.StoredSettings`."""

from typing import Any

from sqlalchemy import Column, Table, Text, select

from adapters.sql.transactions import sql
from adapters.sql.types import Json, metadata
from core.transactions import Transaction

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
)


class SqlStoredSettings:
    """Stateless; everything is in the table."""

    async def get(self, tx: Transaction, key: str) -> Any:
        """The value, or None."""
        return await sql(tx).value(select(settings.c.value).where(settings.c.key == key))

    async def put(self, tx: Transaction, key: str, value: Any) -> None:
        """Replace the value."""
        statement = sql(tx).insert(settings).values(key=key, value=value)
        await sql(tx).run(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
