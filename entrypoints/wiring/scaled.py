"""The scaled profile: PostgreSQL, a broker of its own, any number of processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Protocol

from attrs import frozen

from adapters.mosquitto.address import BrokerAddress
from adapters.mosquitto.broker import MosquittoBroker
from adapters.redis.echo import Echo
from adapters.sql.notifications import Notifications
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_locks import PostgresLocks
from adapters.sql.postgres_migrations import migrate_postgres
from adapters.sql.postgres_storage import PostgresStorage
from adapters.sql.server_keys import SealedKeyTable
from adapters.sql.signals import LocalSignals
from adapters.system import SystemIds
from adapters.system.attempts import GuessLimiter, SignupAttempts
from adapters.system.broker_probe import NetworkBrokerProbe
from adapters.system.derived import derived
from adapters.system.passwords import BcryptPasswords
from adapters.system.tokens import JwtSigner
from core import access
from core.devices import Silence
from core.errors import Invalid
from core.migrations import MigrationFolder
from core.mqtt import Endpoint
from core.services import Services
from core.settings import Settings
from entrypoints.wiring import cluster
from entrypoints.wiring import settings as declared
from entrypoints.wiring.adapters import Adapters
from entrypoints.wiring.containers import Features
from entrypoints.wiring.embedded import FixedQuota, patience_of, server_keys_of, services_of
from entrypoints.wiring.injection import Object
from entrypoints.wiring.room import DATABASE_MAX


@frozen(kw_only=True)
class Scaled:
    """What every process of the scaled profile is made of."""

    services: Services
    broker: MosquittoBroker
    transactions: PostgresTransactions
    locks: PostgresLocks
    notifications: Notifications
    silence: Callable[[], Silence]
    mqtt_url: str


@asynccontextmanager
async def scaled(settings: Settings, migrations: Sequence[MigrationFolder]) -> AsyncIterator[Scaled]:
    """All features on PostgreSQL, connected to what they need. Nothing listens yet. Raises a Refusal, in words."""
    url, secret = _required(settings)
    if settings[cluster.MIGRATE_AT_START]:
        await asyncio.to_thread(migrate_postgres, url, migrations)
    signals = LocalSignals()
    transactions = PostgresTransactions(url, signals, most=settings[cluster.DB_POOL_MAX])
    notifications = Notifications(url, signals, origin=transactions.origin)
    broker = MosquittoBroker(_broker_address(settings))
    locks = PostgresLocks(url)
    passwords = BcryptPasswords(settings[access.HASH_COST])
    logins, guesses, signups = patience_of(settings), GuessLimiter(), SignupAttempts()
    adapters = Adapters(
        transactions=Object(transactions),
        signals=Object(signals),
        locks=Object(locks),
        storage=Object(PostgresStorage(transactions, most_bytes=settings[DATABASE_MAX])),
        quota=Object(FixedQuota(settings[declared.MOST_DEVICES])),
        challenge_secret=Object(derived(secret, "challenges").hex()),
        server_keys=Object(server_keys_of(settings, SealedKeyTable(url, secret))),
        passwords=Object(passwords),
        broker_probe=Object(NetworkBrokerProbe(SystemIds(), anywhere=settings[declared.PROBE_ANYWHERE])),
        token_signer=Object(JwtSigner(secret)),
        logins=Object(logins),
        guesses=Object(guesses),
        signups=Object(signups),
        broker=Object(broker),
    )
    features = Features(
        adapters=adapters,
        settings=Object(settings),
        offline_after=Object(settings[declared.OFFLINE_AFTER]),
        one_of_many=Object(True),  # noqa: FBT003 - a line of a table
    )
    async with AsyncExitStack() as stack:
        stack.callback(passwords.close)
        await stack.enter_async_context(closing(transactions))
        await stack.enter_async_context(closing(notifications))
        await stack.enter_async_context(closing(broker))
        if settings[cluster.REDIS_URL]:
            windows = {**logins.windows(), **guesses.windows(), **signups.windows()}
            await stack.enter_async_context(closing(Echo(settings[cluster.REDIS_URL], windows)))
        services = services_of(adapters, features, settings)
        told = settings[declared.MQTT_BROKER_URL] or settings[cluster.MQTT_URL]
        services.mqtt_endpoints.reachable_at(
            Endpoint(told), override=Endpoint(told) if settings[declared.MQTT_BROKER_URL] else None
        )
        yield Scaled(
            services=services,
            broker=broker,
            transactions=transactions,
            locks=locks,
            notifications=notifications,
            silence=partial(_silence, adapters, settings),
            mqtt_url=told,
        )


class Opened(Protocol):
    """What is opened before it is used, and closed after."""

    async def open(self) -> None:
        """Open it. Raises Unavailable."""

    async def close(self) -> None:
        """Close it."""


@asynccontextmanager
async def closing(part: Opened) -> AsyncIterator[None]:
    """Open it, and close it when the block is left, also when opening failed half-way."""
    try:
        await part.open()
        yield
    finally:
        await part.close()


def _required(settings: Settings) -> tuple[str, str]:
    """The database and the secret. Invalid that says how to set what is missing."""
    url, secret = settings[cluster.DATABASE_URL], settings[access.TOKEN_SECRET]
    if not url:
        raise Invalid("DATABASE_URL is not set: such as postgresql://iotistic:password@127.0.0.1/iotistic")
    if not secret:
        raise Invalid("JWT_SECRET is not set: all processes need the same one; make it with `openssl rand -hex 32`")
    return url, secret


def _broker_address(settings: Settings) -> BrokerAddress:
    url = settings[cluster.MQTT_URL] or settings[declared.MQTT_BROKER_URL]
    if not url:
        raise Invalid("MQTT_URL is not set: where is the broker? Such as mqtt://127.0.0.1:1883", field="MQTT_URL")
    return BrokerAddress.of(
        url,
        username=settings[cluster.MQTT_USERNAME],
        password=settings[cluster.MQTT_PASSWORD],
        ca_cert=settings[cluster.MQTT_CA_CERT],
    )


def _silence(adapters: Adapters, settings: Settings) -> Silence:
    return Silence(
        adapters.transactions(),
        adapters.liveness(),
        adapters.clock(),
        offline_after=settings[declared.OFFLINE_AFTER],
    )
