"""Statements that are used again and again, run on the driver itself.

SQLAlchemy compiles a statement once and remembers that, but still spends several times as long around each execution as
the driver spends on it. So a statement object that comes a second time is one that is kept somewhere to be reused: it
is compiled here for good, with what its types do to parameters and results, and from then on handed to the driver as
text. The rows are SQLAlchemy's own. What cannot be prepared (lists in IN, RETURNING, plain text) takes the usual way.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from attrs import frozen
from sqlalchemy import Delete, Dialect, Executable, Float, Insert, Row, Select, Update
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError

from adapters.sql.transactions import Parameters

Processor = Any  # a function of one value; SQLAlchemy's name for the type is private


@frozen
class Prepared:
    """A statement for one set of parameter names."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    binders: tuple[Processor | None, ...]
    columns: SimpleResultMetaData
    readers: tuple[Processor | None, ...]
    dialect: Dialect

    def bound(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in the order of the text, as the driver wants them."""
        values = {**self.constants, **given} if self.constants else given
        return [
            values[name] if binder is None else binder(values[name])
            for name, binder in zip(self.names, self.binders, strict=True)
        ]

    def named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters by their names, as the driver wants them."""
        return dict(zip(self.names, self.bound(given), strict=True))

    def row(self, values: Sequence[Any]) -> Row[Any]:
        """What the driver read, as SQLAlchemy hands it out."""
        columns = self.columns
        return Row(columns, self.readers, columns._key_to_index, values)  # noqa: SLF001 - as its own results do

    def error(self, error: Exception, kind: type[Exception]) -> BaseException:
        """SQLAlchemy's word for an error of the driver; `kind` is what all of those are."""
        return DBAPIError.instance(self.text, {}, error, kind, dialect=self.dialect)


class Preparations:
    """The statements of one database that have come more than once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._once: WeakSet[Executable] = WeakSet()
        self._known: WeakKeyDictionary[Executable, dict[tuple[str, ...], Prepared | None]] = WeakKeyDictionary()

    def find(self, statement: Executable, given: Parameters | None) -> Prepared | None:
        """The statement prepared for these parameters; None where it should take the usual way."""
        if not given:
            return None
        forms = self._known.get(statement)
        if forms is None:
            if statement not in self._once:
                self._once.add(statement)
                return None
            forms = self._known[statement] = {}
        names = tuple(given if isinstance(given, Mapping) else given[0])
        if names not in forms:
            forms[names] = self._prepare(statement, names)
        return forms[names]

    def _prepare(self, statement: Executable, names: tuple[str, ...]) -> Prepared | None:
        if not isinstance(statement, Select | Insert | Update | Delete) or _returns(statement):
            return None
        columns = list(names) if isinstance(statement, Insert) else None
        compiled = statement.compile(dialect=self._dialect, column_keys=columns)
        if any(bind.expanding for bind in compiled.binds.values()):
            return None
        order = tuple(compiled.positiontup or compiled.binds)
        selected = statement.exported_columns.items() if isinstance(statement, Select) else ()
        return Prepared(
            text=str(compiled),
            names=order,
            constants={name: bind.value for name, bind in compiled.binds.items() if not bind.required},
            binders=tuple(self._binder(compiled.binds[name].type) for name in order),
            columns=SimpleResultMetaData([key for key, _ in selected]),
            readers=tuple(self._reader(column.type) for _, column in selected),
            dialect=self._dialect,
        )

    def _binder(self, kind: Any) -> Processor | None:
        return kind.dialect_impl(self._dialect).bind_processor(self._dialect)

    def _reader(self, kind: Any) -> Processor | None:
        if isinstance(kind, Float):
            return _float  # SQLAlchemy's own wants to know which type of PostgreSQL came back
        return kind.dialect_impl(self._dialect).result_processor(self._dialect, None)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _returns(statement: Executable) -> bool:
    return isinstance(statement, Insert | Update | Delete) and bool(statement.exported_columns)
