"""What a store may do inside a transaction, whichever database it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Executable, Row

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

    def insert(self, table: Any) -> Any:
        """An INSERT of this database's dialect, with `on_conflict_do_nothing` and `on_conflict_do_update`."""


def sql(tx: Transaction) -> SqlTransaction:
    """The same transaction, as the stores of this adapter see it."""
    return cast("SqlTransaction", tx)
