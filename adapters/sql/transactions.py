"""What a store may do inside a transaction, whichever database it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Executable, Row

from adapters.sql.batches import Changes, Keyed, Rows
from core.transactions import Transaction

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class SqlTransaction(Transaction, Protocol):
    """A transaction that speaks SQL. Named conflicts arrive as IntegrityError with the constraint's name."""

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """All rows."""

    async def row(self, statement: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        """The first row, or None."""

    async def value(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""

    async def run(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """Change rows; how many were changed."""

    async def add(self, kind: Rows | Changes, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows, at the latest when the unit ends or something else is asked of it.

        So what goes wrong with them may show only at the end of the unit, as IntegrityError or Conflict.
        """

    async def take(self, kind: Keyed, key: str) -> Any | None:
        """The row with this key as it is now, by the names of its columns, or None. It is held until the unit ends.

        If somebody else changes it all the same, another process say, then the unit ends with Conflict.
        """

    async def replace(self, kind: Keyed, key: str, values: Mapping[str, Any]) -> bool:
        """Give the row that was taken these values, of all its columns; False if none was taken."""

    def insert(self, table: Any) -> Any:
        """An INSERT of this database's dialect, with `on_conflict_do_nothing` and `on_conflict_do_update`."""


def sql(tx: Transaction) -> SqlTransaction:
    """The same transaction, as the stores of this adapter see it."""
    return cast("SqlTransaction", tx)
