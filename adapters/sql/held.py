"""What only one unit at a time may decide, where there is no row that could be locked: how many there are, say.

PostgreSQL holds a lock under a name until the unit ends (pg_advisory_xact_lock); SQLite has one writer anyway.
"""

from typing import Any

from sqlalchemy import Select, Text, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from adapters.sql.transactions import sql
from core.transactions import Transaction


class _Held(FunctionElement[Any]):
    name = "held"
    inherit_cache = True


@compiles(_Held, "postgresql")
def _in_postgres(element: _Held, compiler: Any, **options: Any) -> str:
    return f"pg_advisory_xact_lock(hashtextextended({compiler.process(element.clauses, **options)}, 0))"


@compiles(_Held)
def _elsewhere(element: _Held, compiler: Any, **options: Any) -> str:
    return f"length({compiler.process(element.clauses, **options)})"


_HOLD = select(_Held(bindparam("name", type_=Text)))


def held(statement: Select[Any], to_change: bool) -> Select[Any]:  # noqa: FBT001 - reads as the question of the port
    """The rows, held until the unit ends if they are to be changed; who only refers to them is not held up."""
    return statement.with_for_update(key_share=True) if to_change else statement


async def hold(tx: Transaction, name: str) -> None:
    """Wait for the others who hold this name, and hold it until the unit ends.

    What is read after this, by another statement, is what they have left. Rows are held before names, never after.
    """
    await sql(tx).rows(_HOLD, {"name": name})
