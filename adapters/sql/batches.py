"""Writes that come so often that units share them, described once for both databases.

In SQLite they are statements like all others. PostgreSQL gets the rows of many units at a time, as one JSON document
that it takes apart itself: that costs both sides less than parameters do, and is quick with two rows and with a
thousand (contrib/decisions/0028).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, LargeBinary, Table, bindparam, column, func, select, true, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert as insert_of_postgres
from sqlalchemy.types import UserDefinedType

Conflict = Callable[[Any], Any]
Values = Mapping[str, Any]

_DIALECT = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
TOKEN = "token"  # noqa: S105 - tells versions of a row apart


class Rows:
    """Rows that are added to a table, by the end of the unit.

    `conflict` completes an INSERT of either dialect, for rows that are there already. Then `order` names their key: the
    rows are sorted by it, so that no two who write the same ones wait for each other in a circle. No column takes
    JSON's null: None is NULL.
    """

    def __init__(
        self, table: Table, names: Iterable[str], *, conflict: Conflict | None = None, order: Sequence[str] = ()
    ) -> None:
        self.table = table
        self.names = tuple(names)
        self.order = tuple(order)
        self.only_added = conflict is None
        self._conflict = conflict or (lambda insert: insert)
        self._binary = [name for name in self.names if isinstance(table.c[name].type, LargeBinary)]
        self._statements: dict[type, Any] = {}

    def statement(self, insert: Callable[[Table], Any], kind: type) -> Any:
        """The INSERT for one row, of the dialect that transactions of this kind speak."""
        if kind not in self._statements:
            self._statements[kind] = self._conflict(insert(self.table))
        return self._statements[kind]

    @cached_property
    def text(self) -> str:
        """PostgreSQL's INSERT for the JSON document `rows`."""
        given = _recordset([self.table.c[name] for name in self.names])
        chosen = select(*(given.c[name] for name in self.names)).order_by(*(given.c[name] for name in self.order))
        return _compiled(self._conflict(insert_of_postgres(self.table).from_select(list(self.names), chosen)))

    @cached_property
    def copy(self) -> str:
        """PostgreSQL's COPY of rows whose values come in the order of `names`."""
        return f"COPY {self.table.name} ({', '.join(self.names)}) FROM STDIN"

    @cached_property
    def json(self) -> tuple[int, ...]:
        """The places among `names` at which the values are JSON."""
        return tuple(place for place, name in enumerate(self.names) if isinstance(self.table.c[name].type, JSON))

    def sent(self, row: Values) -> Values:
        """The row as it goes into the document."""
        if not self._binary:
            return row
        return {**row, **{name: f"\\x{row[name].hex()}" for name in self._binary}}


class Changes:
    """Columns that rows get anew, by the end of the unit. Each change says `of` which row, by its key, and the values.

    (A parameter of an UPDATE may not have the name of a column that is not set, hence `of`.) `only_if` says when the
    change is to be made at all, given what the change says by name, and `more` beside the values.
    """

    def __init__(
        self,
        table: Table,
        key: str,
        names: Iterable[str],
        *,
        only_if: Callable[[Mapping[str, ColumnElement[Any]]], ColumnElement[bool]] | None = None,
        more: Sequence[Column[Any]] = (),
    ) -> None:
        self.table = table
        self.order = ("of",)
        self.only_added = False
        self._key = table.c[key]
        self._columns = [table.c[name] for name in names]
        self._given = [Column("of", self._key.type), *self._columns, *more]
        self._only_if = only_if or (lambda _given: true())
        given = {each.name: bindparam(each.name, type_=each.type) for each in self._given}
        set_to = {each.name: given[each.name] for each in self._columns}
        self._statement = update(table).where(self._key == given["of"], self._only_if(given)).values(set_to)

    def statement(self, insert: Callable[[Table], Any], kind: type) -> Any:
        """The UPDATE of one row."""
        return self._statement

    @cached_property
    def text(self) -> str:
        """PostgreSQL's UPDATE for the JSON document `rows`."""
        given = _ordered(_recordset(self._given), "of")
        changed = update(self.table).where(self._key == given.c.of, self._only_if(given.c))
        return _compiled(changed.values({each.name: given.c[each.name] for each in self._columns}))

    def sent(self, row: Values) -> Values:
        """The change as it goes into the document."""
        return row


class Keyed:
    """Rows of a table that are read in order to be changed, by their key. `large` columns are sent only if changed."""

    def __init__(self, table: Table, key: str, *, large: Sequence[str] = ()) -> None:
        self.table = table
        self.key = key
        self._large = tuple(large)
        self._small = tuple(each.name for each in table.c if each.name not in (key, *large))
        self._replacements: dict[frozenset[str], Replacement] = {}
        self.select = select(table).where(table.c[key] == bindparam("key"))
        names = (*self._small, *self._large)
        set_to = {name: bindparam(name, type_=table.c[name].type) for name in names}
        self.update = update(table).where(table.c[key] == bindparam("of")).values(set_to)

    @cached_property
    def text(self) -> str:
        """PostgreSQL's SELECT for many `keys`, with what tells a version of a row from the next."""
        names = ", ".join(each.name for each in self.table.c)
        return f"SELECT {names}, xmin AS {TOKEN} FROM {self.table.name} WHERE {self.key} = ANY(%(keys)s)"  # noqa: S608

    def replacement(self, before: Any, values: Values) -> "Replacement":
        """How to change the row that had been read into one with these values."""
        changed = frozenset(name for name in self._large if values[name] != getattr(before, name))
        if changed not in self._replacements:
            names = (*self._small, *(name for name in self._large if name in changed))
            self._replacements[changed] = Replacement(self, names)
        return self._replacements[changed]


class Replacement:
    """A change of rows that nobody else may have changed since they were read."""

    def __init__(self, keyed: Keyed, names: Sequence[str]) -> None:
        self.keyed = keyed
        self.names = tuple(names)

    @cached_property
    def text(self) -> str:
        """PostgreSQL's UPDATE for the JSON document `rows`; it tells the keys of those that were still the same."""
        table, key = self.keyed.table, self.keyed.key
        token: Column[Any] = Column(TOKEN, _Xid())
        given = _ordered(_recordset([table.c[key], token, *(table.c[name] for name in self.names)]), key)
        same = (table.c[key] == given.c[key]) & (column("xmin", _selectable=table) == given.c[TOKEN])
        changed = update(table).where(same).values({name: given.c[name] for name in self.names})
        return _compiled(changed.returning(table.c[key]))

    def row(self, key: str, token: Any, values: Values) -> Values:
        """The row as it goes into the document."""
        return {self.keyed.key: key, TOKEN: str(token), **{name: values[name] for name in self.names}}


class _Xid(UserDefinedType[Any]):
    """The number of a transaction."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """PostgreSQL's name for it."""
        return "xid"


def _recordset(columns: Sequence[Column[Any]]) -> Any:
    rows = bindparam("rows", type_=postgresql.JSON)
    typed = (column(each.name, each.type) for each in columns)
    return func.json_to_recordset(rows).table_valued(*typed, name="given").render_derived(with_types=True)


def _ordered(given: Any, key: str) -> Any:
    return select(given).order_by(given.c[key]).subquery("given_in_order")


def _compiled(statement: Any) -> str:
    return str(statement.compile(dialect=_DIALECT))
