"""The catalogue and its numbers in SQL. Implements `ApplicationStore` and `IssuedIdStore` of `core.applications`."""

from collections.abc import Sequence
from typing import Any

from attrs import asdict
from sqlalchemy import BigInteger, Column, Row, Table, Text, UniqueConstraint, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from adapters.sql.held import held
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, metadata
from core.applications import Application, IdKind, IssuedId
from core.errors import Conflict, NotFound
from core.transactions import Transaction

applications = Table(
    "applications",
    metadata,
    Column("app_id", BigInteger, primary_key=True, autoincrement=False),
    Column("app_name", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("description", Text),
    Column("default_config", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("modified_at", Instant, nullable=False),
    UniqueConstraint("slug"),
)
id_counters = Table(
    "id_counters",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
issued_ids = Table(
    "issued_ids",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("app_id", BigInteger),
    Column("image_name", Text),
    Column("metadata", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
)
_FIRST = {IdKind.APP: 1000, IdKind.SERVICE: 1}


class SqlApplicationStore:
    """One row an application."""

    async def add(self, tx: Transaction, application: Application) -> None:
        """Remember one more. Conflict."""
        try:
            await sql(tx).run(insert(applications), asdict(application))
        except IntegrityError as error:
            raise _taken(application) from error

    async def find(self, tx: Transaction, app_id: int, *, to_change: bool = False) -> Application | None:
        """The application, or None."""
        row = await sql(tx).row(held(select(applications).where(applications.c.app_id == app_id), to_change))
        return None if row is None else _application(row)

    async def all(self, tx: Transaction) -> Sequence[Application]:
        """All of them, by number."""
        rows = await sql(tx).rows(select(applications).order_by(applications.c.app_id))
        return [_application(row) for row in rows]

    async def save(self, tx: Transaction, application: Application) -> None:
        """Replace what is remembered. Conflict, NotFound."""
        ours = applications.c.app_id == application.app_id
        try:
            changed = await sql(tx).run(update(applications).where(ours).values(asdict(application)))
        except IntegrityError as error:
            raise _taken(application) from error
        if not changed:
            raise NotFound(f"the catalogue has no application {application.app_id}")

    async def remove(self, tx: Transaction, app_id: int) -> None:
        """Forget it. NotFound."""
        if not await sql(tx).run(delete(applications).where(applications.c.app_id == app_id)):
            raise NotFound(f"the catalogue has no application {app_id}")


class SqlIssuedIdStore:
    """A counter a kind, and one row a number."""

    async def next(self, tx: Transaction, kind: IdKind) -> int:
        """A number that has never been given out."""
        first = sql(tx).insert(id_counters).values(kind=kind.value, last=_FIRST[kind])
        counted = first.on_conflict_do_update(index_elements=["kind"], set_={"last": id_counters.c.last + 1})
        return int(await sql(tx).value(counted.returning(id_counters.c.last)))

    async def add(self, tx: Transaction, issued: IssuedId) -> None:
        """Remember what it was given out for."""
        await sql(tx).run(insert(issued_ids), {**asdict(issued), "kind": issued.kind.value})

    async def find(self, tx: Transaction, kind: IdKind, number: int) -> IssuedId | None:
        """What it was given out for, or None."""
        ours = (issued_ids.c.kind == kind.value) & (issued_ids.c.id == number)
        row = await sql(tx).row(select(issued_ids).where(ours))
        return None if row is None else _issued(row)

    async def all(self, tx: Transaction, kind: IdKind | None, limit: int) -> Sequence[IssuedId]:
        """The newest first."""
        statement = select(issued_ids).order_by(issued_ids.c.created_at.desc(), issued_ids.c.id.desc()).limit(limit)
        if kind is not None:
            statement = statement.where(issued_ids.c.kind == kind.value)
        return [_issued(row) for row in await sql(tx).rows(statement)]


def _taken(application: Application) -> Conflict:
    return Conflict(f"there is an application with the slug {application.slug} already")


def _application(row: Row[Any]) -> Application:
    return Application(
        app_id=row.app_id,
        app_name=row.app_name,
        slug=row.slug,
        description=row.description,
        default_config=row.default_config,
        created_at=row.created_at,
        modified_at=row.modified_at,
    )


def _issued(row: Row[Any]) -> IssuedId:
    return IssuedId(
        kind=IdKind(row.kind),
        id=row.id,
        name=row.name,
        app_id=row.app_id,
        image_name=row.image_name,
        metadata=row.metadata,
        created_at=row.created_at,
        created_by=row.created_by,
    )
