"""Which tables are moved from one database to the other, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from attrs import frozen

from adapters.sql.transfer_values import Kind
from core.errors import Conflict

LEDGER = "migrations"
PROGRESS = "transfer_progress"
# Sealed with the secret of the installation on one side, files on the other: not carried over as rows.
SERVER_KEYS = "server_keys"
FROM_ANOTHER = "the target is being filled from another source: go on with that one, or begin with an empty target"
# PostgreSQL fills it by itself, from readings; SQLite has an index instead.
CLAMPED = "clamped_readings"
APART = frozenset({LEDGER, PROGRESS, SERVER_KEYS, CLAMPED})


@frozen(kw_only=True)
class TransferTable:
    """A table that both sides have."""

    name: str
    columns: Sequence[str]
    kinds: Sequence[Kind]
    key: Sequence[str]
    """The primary key as SQLite has it: there is no other that both sides have."""
    refers_to: frozenset[str]

    @property
    def whole(self) -> bool:
        """Whether it is moved in one transaction: without a key nobody knows where to go on."""
        return not self.key or self.name in self.refers_to

    def places(self) -> Sequence[int]:
        """Where the columns of the key stand."""
        return [self.columns.index(name) for name in self.key]


@frozen(kw_only=True)
class Described:
    """What a database says of its tables."""

    columns: Mapping[str, Mapping[str, Kind | None]]
    """By table; None where the database does not know (SQLite)."""
    keys: Mapping[str, Sequence[str]]
    references: Mapping[str, frozenset[str]]


def tables_of(sqlite: Described, postgres: Described) -> Sequence[TransferTable]:
    """What both sides have, tables before those that refer to them. Conflict where they differ."""
    names = (sqlite.columns.keys() & postgres.columns.keys()) - APART
    for name in sorted(names):
        odd = sqlite.columns[name].keys() ^ postgres.columns[name].keys()
        if odd:
            raise Conflict(f"the table {name} is not the same on both sides: {', '.join(sorted(odd))}")
    return [_table(name, sqlite, postgres) for name in _in_order(names, postgres.references)]


def _table(name: str, sqlite: Described, postgres: Described) -> TransferTable:
    columns = postgres.columns[name]
    unknown = [column for column, kind in columns.items() if kind is None]
    if unknown:
        raise Conflict(f"columns of {name} have a type that cannot be moved: {', '.join(unknown)}")
    return TransferTable(
        name=name,
        columns=sorted(columns),
        kinds=[kind for _, kind in sorted(columns.items()) if kind is not None],
        key=sqlite.keys[name],
        refers_to=postgres.references.get(name, frozenset()),
    )


def _in_order(names: Iterable[str], references: Mapping[str, frozenset[str]]) -> Sequence[str]:
    sorter = TopologicalSorter({name: sorted(references.get(name, frozenset()) - {name}) for name in sorted(names)})
    wanted = set(names)
    try:
        return [name for name in sorter.static_order() if name in wanted]
    except CycleError as error:
        raise Conflict(f"tables refer to each other in a circle: {', '.join(error.args[1])}") from error
