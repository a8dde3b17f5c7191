"""INSERT … ON CONFLICT …, built once for each database that we speak."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from adapters.sql.transactions import sql
from core.transactions import Transaction


class Upsert:
    """Writes a row in place of the one with the same key. `kept` columns stay as they were first written."""

    def __init__(self, table: Table, *, key: str, kept: tuple[str, ...] = ()) -> None:
        self._table = table
        self._key = key
        self._kept = {key, *kept}
        self._statements: dict[type, Any] = {}

    async def run(self, tx: Transaction, row: Mapping[str, Any]) -> None:
        """Write the row. IntegrityError when it conflicts otherwise than by the key."""
        statement = self._statements.get(type(tx))
        if statement is None:
            insert = sql(tx).insert(self._table)
            replaced = {name: insert.excluded[name] for name in row if name not in self._kept}
            statement = insert.on_conflict_do_update(index_elements=[self._key], set_=replaced)
            self._statements[type(tx)] = statement
        await sql(tx).run(statement, row)


class InsertOnce:
    """Writes a row unless there is one with the same key; without a `key`, with the same of any."""

    def __init__(self, table: Table, *, key: str | None = None) -> None:
        self._table = table
        self._key = None if key is None else [key]
        self._statements: dict[type, Any] = {}

    async def run(self, tx: Transaction, row: Mapping[str, Any]) -> bool:
        """Write the row; whether there was none. IntegrityError when it conflicts otherwise than by the key."""
        statement = self._statements.get(type(tx))
        if statement is None:
            statement = sql(tx).insert(self._table).on_conflict_do_nothing(index_elements=self._key)
            self._statements[type(tx)] = statement
        return await sql(tx).run(statement, row) > 0
