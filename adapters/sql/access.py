"""People and their sessions in SQL. Implements `UserStore` and `SessionStore` of `core.access`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import evolve
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from adapters.sql.held import held, hold
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from core.access import Credentials, Session, User, role_of
from core.actor import Role
from core.errors import Conflict, NotFound
from core.ids import SessionId, UserId
from core.transactions import Transaction

users = Table(
    "users",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("full_name", Text),
    Column("created_at", Instant, nullable=False),
    Column("last_login_at", Instant),
    Column("revision", Integer, nullable=False),
    CheckConstraint("role IN ('owner', 'admin', 'manager', 'operator', 'viewer')", name="role"),
    sqlite_autoincrement=True,
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Index("ix_sessions_user_id", "user_id", "created_at"),
    Index("ix_sessions_expires_at", "expires_at"),
)

_STANDING = (
    select(
        users,
        sessions.c.id.label("session_id"),
        sessions.c.digest,
        sessions.c.created_at.label("began_at"),
        sessions.c.expires_at,
        sessions.c.address,
        sessions.c.user_agent,
    )
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(sessions.c.id == bindparam("session_id"))
)


class SqlUserStore:
    """Stateless; everything is in the table."""

    async def add(self, tx: Transaction, user: User, password_hash: str) -> User:
        """Remember a new account. Conflict."""
        row = _to_row(user) | {"password_hash": password_hash}
        try:
            number = await sql(tx).value(users.insert().returning(users.c.id), row)
        except IntegrityError as error:
            raise _taken(error) from error
        return evolve(user, id=UserId(number))

    async def all(self, tx: Transaction) -> Sequence[User]:
        """Every account, by username."""
        return [_from_row(row) for row in await sql(tx).rows(select(users).order_by(users.c.username))]

    async def get(self, tx: Transaction, user_id: UserId, *, to_change: bool = False) -> User:
        """The account. NotFound."""
        found = await self.credentials(tx, user_id, to_change=to_change)
        if found is None:
            raise NotFound("there is no such user")
        return found.user

    async def credentials(self, tx: Transaction, user_id: UserId, *, to_change: bool = False) -> Credentials | None:
        """The account with its password's verifier, or None."""
        return await self._found(tx, users.c.id == user_id, to_change=to_change)

    async def known_as(self, tx: Transaction, name: str, *, to_change: bool = False) -> Credentials | None:
        """The account with this username or e-mail; a username has no @, so that there is at most one."""
        column = users.c.email if "@" in name else users.c.username
        return await self._found(tx, column == name, to_change=to_change)

    async def save(self, tx: Transaction, user: User) -> None:
        """Replace the previous revision. Conflict, NotFound."""
        values = {
            "email": user.email,
            "role": user.role.word,
            "is_active": user.is_active,
            "full_name": user.full_name,
            "revision": user.revision,
        }
        previous = (users.c.id == user.id) & (users.c.revision == user.revision - 1)
        try:
            changed = await sql(tx).run(update(users).where(previous).values(values))
        except IntegrityError as error:
            raise _taken(error) from error
        if changed == 0:
            await self.get(tx, user.id)
            raise Conflict("the user was changed by someone else meanwhile")

    async def set_password(self, tx: Transaction, user_id: UserId, password_hash: str) -> None:
        """Replace the verifier."""
        await sql(tx).run(update(users).where(users.c.id == user_id).values(password_hash=password_hash))

    async def logged_in(self, tx: Transaction, user_id: UserId, now: datetime) -> None:
        """Note when the account was last used."""
        await sql(tx).run(update(users).where(users.c.id == user_id).values(last_login_at=now))

    async def remove(self, tx: Transaction, user_id: UserId) -> None:
        """Forget the account; its sessions go with it. NotFound."""
        if await sql(tx).run(delete(users).where(users.c.id == user_id)) == 0:
            raise NotFound("there is no such user")

    async def count_owners(self, tx: Transaction) -> int:
        """How many active owners there are."""
        await hold(tx, "users.owners")
        owning = (users.c.role == Role.OWNER.word) & users.c.is_active.is_(True)
        return int(await sql(tx).value(select(func.count()).select_from(users).where(owning)))

    async def is_empty(self, tx: Transaction, *, to_change: bool = False) -> bool:
        """Whether nobody has an account yet."""
        if to_change:
            await hold(tx, "users.first")
        return await sql(tx).row(select(users.c.id).limit(1)) is None

    async def _found(self, tx: Transaction, which: ColumnElement[bool], *, to_change: bool) -> Credentials | None:
        return _credentials(await sql(tx).row(held(select(users).where(which), to_change)))


class SqlSessionStore:
    """A row is a session that stands; ending it removes the row."""

    async def add(self, tx: Transaction, session: Session) -> None:
        """Remember a new session."""
        await sql(tx).run(
            sessions.insert(),
            {
                "id": session.id,
                "user_id": session.user_id,
                "digest": session.digest,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
                "address": session.address,
                "user_agent": session.user_agent,
            },
        )

    async def standing(self, tx: Transaction, session_id: SessionId) -> tuple[Session, User] | None:
        """The session and whose it is, or None."""
        row = await sql(tx).row(_STANDING, {"session_id": session_id})
        if row is None:
            return None
        session = Session(
            id=SessionId(row.session_id),
            user_id=UserId(row.id),
            digest=row.digest,
            created_at=row.began_at,
            expires_at=row.expires_at,
            address=row.address,
            user_agent=row.user_agent,
        )
        return session, _from_row(row)

    async def end(self, tx: Transaction, session_id: SessionId) -> bool:
        """End the session; whether it was still standing."""
        return await sql(tx).run(delete(sessions).where(sessions.c.id == session_id)) > 0

    async def end_all(self, tx: Transaction, user_id: UserId, *, but_newest: int = 0) -> Sequence[SessionId]:
        """End the person's sessions, except so many of the newest."""
        newest_first = (
            select(sessions.c.id)
            .where(sessions.c.user_id == user_id)
            .order_by(sessions.c.created_at.desc(), sessions.c.id)
        )
        ending = [SessionId(row.id) for row in (await sql(tx).rows(newest_first))[but_newest:]]
        if ending:
            await sql(tx).run(delete(sessions).where(sessions.c.id.in_(ending)))
        return ending

    async def end_expired(self, tx: Transaction, now: datetime) -> int:
        """Forget sessions whose time is over."""
        return await sql(tx).run(delete(sessions).where(sessions.c.expires_at <= now))


def _taken(error: IntegrityError) -> Conflict:
    # Only the first line: PostgreSQL goes on with the values, which may be anything.
    field = "email" if "email" in str(error.orig).partition("\n")[0] else "username"
    return Conflict(f"another user has this {field}")


def _credentials(row: Row[Any] | None) -> Credentials | None:
    return None if row is None else Credentials(user=_from_row(row), password_hash=row.password_hash)


def _from_row(row: Row[Any]) -> User:
    return User(
        id=UserId(row.id),
        username=row.username,
        email=row.email,
        role=role_of(row.role),
        is_active=row.is_active,
        full_name=row.full_name,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        revision=row.revision,
    )


def _to_row(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "email": user.email,
        "role": user.role.word,
        "is_active": user.is_active,
        "full_name": user.full_name,
        "created_at": user.created_at,
        "last_login_at": user.last_login_at,
        "revision": user.revision,
    }
