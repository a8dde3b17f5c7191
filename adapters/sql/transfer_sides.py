"""What a transfer needs of a database, SQLite or PostgreSQL."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from attrs import frozen

from adapters.sql.transfer_shape import Described, TransferTable
from adapters.sql.transfer_values import Conversion, Values

Key = tuple[Any, ...]


@frozen(kw_only=True)
class Standing:
    """How far a table came."""

    rows: int
    key: Key | None
    done: bool


class Reading(Protocol):
    """One moment of a database, which stays the same while it is read."""

    def described(self) -> Described:
        """Its tables."""

    def migrations(self) -> Mapping[str, str]:
        """What was applied: name and checksum. Empty when nothing was."""

    def identity(self) -> str:
        """By which this installation is known again: another one has another."""

    def count(self, table: str) -> int:
        """How many rows the table has."""

    def filled(self, tables: Sequence[str]) -> Sequence[str]:
        """Those of the tables that have rows."""

    def conversion(self, table: TransferTable) -> Conversion:
        """Turns rows as they are read into rows on their way."""

    def rows(self, table: TransferTable, after: Key | None) -> Generator[Sequence[Any]]:
        """The rows in the order of their key, as the driver gives them, behind a key if there is one. To be closed."""

    def last_numbers(self, tables: Sequence[TransferTable]) -> Mapping[str, int]:
        """The last number that was given out, of tables that number their rows."""


class Writing(Protocol):
    """The database that is filled. Each batch is in it whole, with word of how far it is, or not at all."""

    def start(self, identity: str) -> Mapping[str, Standing]:
        """How far each table came. Conflict when it is being filled from another source."""

    def write(self, table: TransferTable, rows: Iterator[Values], standing: "Following") -> None:
        """Keep all rows and, in the same transaction, what `standing` says when they are through."""

    def number_on(self, table: TransferTable, last: int) -> None:
        """The next row gets a higher number than this."""

    def finish(self) -> None:
        """Everything has arrived and is the same: forget how far each table came. Raises Conflict on loose ends."""


class Following(Protocol):
    """Tells how far a table came with the rows that were taken."""

    def __call__(self) -> Standing:
        """Up to here."""


class Side(Protocol):
    """A database that can be on either side."""

    @property
    def name(self) -> str:
        """sqlite or postgres, as the folders of migrations are called."""

    def reading(self) -> AbstractContextManager[Reading]:
        """Read one moment. Raises Unavailable."""

    def writing(self) -> AbstractContextManager[Writing]:
        """Fill it. Conflict if somebody else does; Unavailable."""
