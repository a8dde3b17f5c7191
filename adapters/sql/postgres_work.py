"""What units leave to be written together, and how it is written: a statement for each sort of rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from attrs import define, field
from psycopg import AsyncConnection

from adapters.sql.batches import Changes, Keyed, Replacement, Rows
from adapters.sql.postgres_text import to_json
from adapters.sql.postgres_trouble import wrapped

Row = Mapping[str, Any]
# What is to be replaced in one way, and whose work it is, by the key.
Replaced = tuple[Replacement, list[Row], dict[str, "Work"]]
# From so many rows on COPY is quicker than a document of JSON.
COPIED = 100


@define(eq=False)
class Work:
    """The writes of one unit that have not been sent yet."""

    rows: dict[Rows | Changes, list[Row]] = field(factory=dict)
    replacements: dict[tuple[Keyed, str], tuple[Replacement, Row]] = field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.replacements)

    def add(self, kind: Rows | Changes, rows: Sequence[Row]) -> None:
        """Take in more rows."""
        self.rows.setdefault(kind, []).extend(rows)


async def write(connection: AsyncConnection, works: Iterable[Work]) -> list[Work]:
    """Send all of it in the connection's transaction; those whose rows somebody else has changed meanwhile.

    If there are any, nothing may be committed. Raises SQLAlchemy's errors, as its own statements do.
    """
    works = list(works)
    try:
        # In one order everywhere, so that no two transactions wait for each other in a circle.
        together = sorted(_together(works).items(), key=lambda item: item[0].table.name)
        for kind, rows in together:
            if isinstance(kind, Rows) and _is_copied(kind, rows):
                await _copy(connection, kind, rows)
        return await _send(connection, _replaced(works), [item for item in together if not _is_copied(*item)])
    except psycopg.Error as error:
        raise wrapped(error) from error


async def _send(
    connection: AsyncConnection, replaced: Sequence[Replaced], together: Sequence[tuple[Rows | Changes, list[Row]]]
) -> list[Work]:
    asked = []
    async with connection.pipeline():
        for replacement, rows, theirs in replaced:
            cursor = await connection.execute(replacement.text, {"rows": to_json(rows)}, prepare=True)
            asked.append((cursor, theirs))
        for kind, rows in together:
            for some in _rounds(kind, rows):
                document = to_json([kind.sent(row) for row in some])
                await connection.execute(kind.text, {"rows": document}, prepare=True)
    return [work for cursor, theirs in asked for work in await _losers(cursor, theirs)]


def _rounds(kind: Rows | Changes, rows: list[Row]) -> list[list[Row]]:
    """The rows for one statement after the other: none changes the same row twice."""
    if not kind.order:
        return [rows]
    rounds: list[list[Row]] = []
    times: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row[name] for name in kind.order)
        number = times[key] = times.get(key, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(row)
    return rounds


async def _losers(cursor: psycopg.AsyncCursor, theirs: dict[str, Work]) -> list[Work]:
    won = {key for (key,) in await cursor.fetchall()}
    return [work for key, work in theirs.items() if key not in won]


def _together(works: list[Work]) -> dict[Rows | Changes, list[Row]]:
    together: dict[Rows | Changes, list[Row]] = {}
    for work in works:
        for kind, rows in work.rows.items():
            together.setdefault(kind, []).extend(rows)
    return together


def _replaced(works: list[Work]) -> list[Replaced]:
    together: dict[Replacement, Replaced] = {}
    for work in works:
        for (_, key), (replacement, row) in work.replacements.items():
            _, rows, theirs = together.setdefault(replacement, (replacement, [], {}))
            rows.append(row)
            theirs[key] = work
    return sorted(together.values(), key=lambda item: (item[0].keyed.table.name, item[0].names))


def _is_copied(kind: Rows | Changes, rows: Sequence[Row]) -> bool:
    return kind.only_added and len(rows) >= COPIED


async def _copy(connection: AsyncConnection, kind: Rows, rows: Sequence[Row]) -> None:
    async with connection.cursor().copy(kind.copy) as copy:
        for row in rows:
            values = [row[name] for name in kind.names]
            for place in kind.json:
                values[place] = None if values[place] is None else to_json(values[place])
            await copy.write_row(values)
