"""Stored settings in SQL. Implements `core.settings.StoredSettings`."""

from typing import Any

from sqlalchemy import Column, Table, Text, bindparam, select

from adapters.sql.held import hold
from adapters.sql.transactions import sql
from adapters.sql.types import Json, metadata
from adapters.sql.upserts import Upsert
from core.transactions import Transaction

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
)
_VALUE = select(settings.c.value).where(settings.c.key == bindparam("key"))
_PUT = Upsert(settings, key="key")


class SqlStoredSettings:
    """Stateless; everything is in the table."""

    async def get(self, tx: Transaction, key: str) -> Any:
        """The value, or None."""
        return await sql(tx).value(_VALUE, {"key": key})

    async def hold(self, tx: Transaction, key: str) -> None:
        """Hold up others who hold the same key."""
        await hold(tx, f"settings.{key}")

    async def put(self, tx: Transaction, key: str, value: Any) -> None:
        """Replace the value."""
        await _PUT.run(tx, {"key": key, "value": value})
