"""Statements of a store, run on a connection of PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from attrs import frozen
from psycopg import AsyncCursor
from sqlalchemy import Executable, Row, Table
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.postgres_pulse import Pulse, Wait
from adapters.sql.prepared import Preparations, Prepared
from adapters.sql.transactions import Parameters

Driver = psycopg.AsyncConnection[Any]


@frozen
class Own:
    """A connection in a transaction of the unit's own."""

    connection: AsyncConnection
    driver: Driver
    pulse: Pulse
    wait: Wait


class Statements:
    """Runs them, prepared where they come again and again. Subclasses say on which connection."""

    def __init__(self, preparations: Preparations) -> None:
        self._preparations = preparations

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """All rows."""
        own = await self._connected()
        prepared = self._preparations.find(statement, parameters)
        with own.pulse.answering(own.wait):
            if prepared is None or parameters is None:
                return (await own.connection.execute(statement, parameters)).all()
            cursor = await _run(prepared, own.driver, parameters)
            return [prepared.row(values) for values in await cursor.fetchall()]

    async def row(self, statement: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        """The first row, or None."""
        own = await self._connected()
        prepared = self._preparations.find(statement, parameters)
        with own.pulse.answering(own.wait):
            if prepared is None or parameters is None:
                return (await own.connection.execute(statement, parameters)).first()
            values = await (await _run(prepared, own.driver, parameters)).fetchone()
            return None if values is None else prepared.row(values)

    async def value(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.row(statement, parameters)
        return None if row is None else row[0]

    async def run(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """Change rows; how many were changed."""
        own = await self._connected()
        prepared = self._preparations.find(statement, parameters)
        with own.pulse.answering(own.wait):
            if prepared is None or parameters is None:
                options = {"preserve_rowcount": True}  # else that of an INSERT is gone with its cursor
                return (await own.connection.execute(statement, parameters, execution_options=options)).rowcount
            return (await _run(prepared, own.driver, parameters)).rowcount

    def insert(self, table: Table) -> Insert:
        """PostgreSQL's INSERT."""
        return insert(table)

    async def _connected(self) -> Own:
        """The connection that the next statement runs on."""
        raise NotImplementedError


async def _run(prepared: Prepared, driver: Driver, given: Parameters) -> AsyncCursor[Any]:
    """Run it, once for each set of parameters. Raises SQLAlchemy's errors."""
    try:
        if isinstance(given, Mapping):
            return await driver.execute(prepared.text, prepared.named(given))
        cursor = driver.cursor()
        await cursor.executemany(prepared.text, list(map(prepared.named, given)))
        return cursor
    except psycopg.Error as error:
        raise prepared.error(error, psycopg.Error) from error
