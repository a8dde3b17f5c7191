"""The broker's accounts on real parts: SQLite, bcrypt at its lowest cost, a clock that tests turn."""

from collections.abc import Iterator

import pytest
from attrs import define, field
from sqlalchemy import select

from adapters.sql.mqtt import SqlMqttAccountStore, SqlMqttUserStore
from adapters.sql.mqtt_acls import SqlMqttAclStore
from adapters.sql.mqtt_assignments import SqlAssignmentStore
from adapters.sql.outbox import event_from, outbox
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system import SystemIds
from adapters.system.passwords import BcryptPasswords
from core.devices import Liveness
from core.events import Event
from core.mqtt import (
    Endpoint,
    Endpoints,
    MqttAccounts,
    MqttAccountStore,
    MqttAcls,
    MqttUsers,
    NowhereToHandOver,
    PeoplesPasswords,
)
from tests.support.access import CountedPasswords
from tests.support.clock import TestClock

GATEWAY = "mqtt://gateway.local:1883"


@define
class Pauses:
    """Waits that were asked for; nobody waits in fact."""

    asked: list[float] = field(factory=list)

    async def pause(self, seconds: float) -> None:
        """Note it."""
        self.asked.append(seconds)


def some_endpoints(embedded: str | None = GATEWAY, override: str | None = None) -> Endpoints:
    """Where devices are sent: to a broker that has started, unless there is none."""
    endpoints = Endpoints(settings=SqlStoredSettings(), assignments=SqlAssignmentStore())
    if embedded is not None:
        endpoints.reachable_at(Endpoint(embedded), override=Endpoint(override) if override else None)
    return endpoints


def some_accounts(
    transactions: SqliteTransactions,
    signals: LocalSignals,
    clock: TestClock,
    liveness: Liveness,
    *,
    store: MqttAccountStore | None = None,
    endpoints: Endpoints | None = None,
    passwords: PeoplesPasswords | None = None,
) -> MqttAccounts:
    """The broker's questions, with other parts if wanted."""
    ids = SystemIds()
    return MqttAccounts(
        transactions=transactions,
        store=store or SqlMqttAccountStore(),
        clock=clock,
        ids=ids,
        signals=signals,
        liveness=liveness,
        passwords=passwords or PeoplesPasswords(hasher=BcryptPasswords(4), clock=clock, ids=ids),
        endpoints=endpoints or some_endpoints(),
        hand_over=NowhereToHandOver(),
    )


async def announced(transactions: SqliteTransactions) -> list[Event]:
    """What was announced, the oldest first."""
    async with transactions.read() as tx:
        rows = await tx.rows(select(outbox.c.name, outbox.c.payload).order_by(outbox.c.id))
    return [event_from(row.name, row.payload) for row in rows]


@pytest.fixture
def hasher() -> Iterator[CountedPasswords]:
    """Real passwords, and what was asked about them."""
    real = BcryptPasswords(4)
    yield CountedPasswords(real)
    real.close()


@pytest.fixture
def pauses() -> Pauses:
    """The waits that wrong passwords cost."""
    return Pauses()


@pytest.fixture
def peoples_passwords(hasher: CountedPasswords, clock: TestClock, pauses: Pauses) -> PeoplesPasswords:
    """Passwords of people, without real waits."""
    return PeoplesPasswords(hasher=hasher, clock=clock, ids=SystemIds(), pause=pauses.pause)


@pytest.fixture
def mqtt_users(transactions: SqliteTransactions, hasher: CountedPasswords, clock: TestClock) -> MqttUsers:
    """What people do with accounts."""
    return MqttUsers(
        transactions=transactions,
        store=SqlMqttUserStore(),
        acls=SqlMqttAclStore(),
        hasher=hasher,
        hand_over=NowhereToHandOver(),
        clock=clock,
    )


@pytest.fixture
def mqtt_acls(transactions: SqliteTransactions, clock: TestClock) -> MqttAcls:
    """What people do with rights."""
    return MqttAcls(transactions=transactions, users=SqlMqttUserStore(), store=SqlMqttAclStore(), clock=clock)
