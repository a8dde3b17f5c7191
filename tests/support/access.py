"""Accounts and sessions on real parts: SQLite, bcrypt at its lowest cost, real tokens, a clock that tests turn."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import pytest
from attrs import define, field, frozen

from adapters.sql.access import SqlSessionStore, SqlUserStore
from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system import SystemIds
from adapters.system.attempts import LoginAttempts, SignupAttempts
from adapters.system.passwords import BcryptPasswords
from adapters.system.tokens import JwtSigner
from core.access import GRANTS, SETTINGS, Accounts, NewUser, Permissions, Sessions, Tokens, User
from core.actor import SYSTEM, Actor, Role
from core.events import Event
from core.settings import Settings
from core.transactions import Transaction
from tests.support.clock import TestClock

SECRET = "0123456789abcdef0123456789ABCDEF" * 2
PASSWORD = "correct horse"
HOME = "198.51.100.7"
ELSEWHERE = "203.0.113.9"


@define
class CountedPasswords:
    """Real passwords, and which verifiers were asked about: None is nobody's."""

    real: BcryptPasswords
    asked: list[str | None] = field(factory=list)
    called: asyncio.Event = field(factory=asyncio.Event)

    async def hash(self, password: str) -> str:
        """As the real one."""
        return await self.real.hash(password)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """As the real one, and noted."""
        self.asked.append(password_hash)
        self.called.set()
        return await self.real.verify(password, password_hash)


@define
class CountedTransactions:
    """Real transactions, and how many reads there were."""

    real: SqliteTransactions
    reads: int = 0

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """As the real one."""
        return self.real.begin()

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """As the real one, and counted."""
        self.reads += 1
        return self.real.read()


@frozen(kw_only=True)
class Access:
    """Everything around accounts and sessions."""

    accounts: Accounts
    sessions: Sessions
    users: SqlUserStore
    passwords: CountedPasswords
    signer: JwtSigner
    transactions: CountedTransactions
    clock: TestClock

    async def user(self, username: str, role: Role = Role.VIEWER) -> User:
        """An account whose password is PASSWORD."""
        wanted = NewUser(username=username, email=f"{username}@example.com", password=PASSWORD, role=role)
        return await self.accounts.create(SYSTEM, wanted)

    async def login(self, username: str, password: str = PASSWORD, address: str = HOME) -> Tokens:
        """A session."""
        return await self.sessions.login(username, password, address, "a browser")

    async def person(self, username: str, role: Role = Role.VIEWER) -> Actor:
        """Somebody with an account, logged in."""
        await self.user(username, role)
        return await self.actor(username)

    async def actor(self, username: str) -> Actor:
        """Somebody who logs in now."""
        return await self.sessions.actor((await self.login(username)).access, HOME)

    async def announced(self) -> list[Event]:
        """All events so far."""
        async with self.transactions.read() as tx:
            return [announced.event for announced in await SqlOutboxStore().pending(tx, 1000)]


def build_access(
    transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock, **environment: str
) -> Access:
    """The parts, with other settings if wanted."""
    settings = Settings(SETTINGS, environment)
    permissions = Permissions()
    permissions.grant(GRANTS)
    counted, signer, ids = CountedTransactions(transactions), JwtSigner(SECRET), SystemIds()
    passwords, limiter, users, store = (
        CountedPasswords(BcryptPasswords(4)),
        LoginAttempts(),
        SqlUserStore(),
        SqlSessionStore(),
    )
    accounts = Accounts(
        transactions=counted,
        users=users,
        sessions=store,
        hasher=passwords,
        limiter=limiter,
        signups=SignupAttempts(),
        settings=settings,
        clock=clock,
        ids=ids,
    )
    sessions = Sessions(
        transactions=counted,
        users=users,
        store=store,
        hasher=passwords,
        signer=signer,
        limiter=limiter,
        permissions=permissions,
        settings=settings,
        clock=clock,
        ids=ids,
        signals=signals,
    )
    return Access(
        accounts=accounts,
        sessions=sessions,
        users=users,
        passwords=passwords,
        signer=signer,
        transactions=counted,
        clock=clock,
    )


@pytest.fixture
def access(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> Iterator[Access]:
    """Accounts and sessions on the test's own database."""
    built = build_access(transactions, signals, clock)
    yield built
    built.passwords.real.close()
