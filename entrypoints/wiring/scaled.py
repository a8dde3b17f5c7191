"""The scaled profile: PostgreSQL, a broker of its own, any number of processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Protocol

from attrs import frozen

from adapters.mosquitto.address import BrokerAddress
from adapters.mosquitto.broker import MosquittoBroker
from adapters.mosquitto.dynamic_accounts import DynamicAccounts
from adapters.mosquitto.dynamic_security import control_of
from adapters.redis.echo import Echo
from adapters.sql.cluster_secrets import ClusterSecrets, cluster_secrets
from adapters.sql.mqtt_passwords import SealedMqttPasswords
from adapters.sql.notifications import Notifications
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_locks import PostgresLocks
from adapters.sql.postgres_migrations import migrate_postgres
from adapters.sql.postgres_storage import PostgresStorage
from adapters.sql.signals import LocalSignals
from adapters.system import SystemIds
from adapters.system.attempts import GuessLimiter, LoginAttempts, SignupAttempts
from adapters.system.broker_probe import NetworkBrokerProbe
from adapters.system.passwords import BcryptPasswords
from adapters.system.tokens import JwtSigner
from core import access
from core.devices import Silence
from core.errors import Invalid
from core.migrations import MigrationFolder
from core.mqtt import Endpoint, NowhereToHandOver, PasswordsToHandOver
from core.services import Services
from core.settings import Settings
from entrypoints.observing.inside import describe_broker, describe_commits, describe_hearing, describe_pool
from entrypoints.wiring import cluster
from entrypoints.wiring import settings as declared
from entrypoints.wiring.adapters import Adapters
from entrypoints.wiring.containers import Features
from entrypoints.wiring.embedded import FixedQuota, patience_of, server_keys_of, services_of
from entrypoints.wiring.injection import Object
from entrypoints.wiring.observing import Observing
from entrypoints.wiring.room import DATABASE_MAX

# A worker takes the locks of lanes all the time, a few at once.
SPARE_LOCKS = 4


@frozen(kw_only=True)
class Scaled:
    """What every process of the scaled profile is made of."""

    services: Services
    broker: MosquittoBroker
    transactions: PostgresTransactions
    locks: PostgresLocks
    notifications: Notifications
    silence: Silence
    dynamic_accounts: DynamicAccounts | None
    mqtt_url: str


@asynccontextmanager
async def scaled(
    settings: Settings, migrations: Sequence[MigrationFolder], watched: Observing
) -> AsyncIterator[Scaled]:
    """All features on PostgreSQL, connected to what they need. Nothing listens yet. Raises a Refusal, in words."""
    url, _ = _required(settings)
    parts = _Parts.of(settings)
    if settings[cluster.MIGRATE_AT_START]:
        await asyncio.to_thread(migrate_postgres, url, migrations)
    adapters = _adapters(parts, settings, watched)
    features = Features(
        adapters=adapters,
        settings=Object(settings),
        offline_after=Object(settings[declared.OFFLINE_AFTER]),
        one_of_many=Object(True),  # noqa: FBT003 - a line of a table
    )
    async with AsyncExitStack() as stack:
        stack.callback(parts.passwords.close)
        stack.push_async_callback(parts.locks.close)
        for part in parts.to_open(settings):
            await stack.enter_async_context(closing(part))
        services = services_of(adapters, features, settings)
        parts.describe(watched)
        yield Scaled(
            services=services,
            broker=parts.broker,
            transactions=parts.transactions,
            locks=parts.locks,
            notifications=parts.notifications,
            silence=_silence(adapters, settings),
            dynamic_accounts=_dynamic_accounts(adapters, settings),
            mqtt_url=_tell_where_the_broker_is(services, settings),
        )


@frozen(kw_only=True)
class _Parts:
    """What the adapters are made of that has to be opened, or is needed twice."""

    signals: LocalSignals
    transactions: PostgresTransactions
    notifications: Notifications
    locks: PostgresLocks
    broker: MosquittoBroker
    passwords: BcryptPasswords
    logins: LoginAttempts
    guesses: GuessLimiter
    signups: SignupAttempts
    secrets: ClusterSecrets

    @classmethod
    def of(cls, settings: Settings) -> "_Parts":
        url, secret = _required(settings)
        signals = LocalSignals()
        transactions = PostgresTransactions(url, signals, most=settings[cluster.DB_POOL_MAX])
        return cls(
            signals=signals,
            transactions=transactions,
            notifications=Notifications(url, signals, origin=transactions.origin),
            locks=PostgresLocks(url, spare=SPARE_LOCKS),
            broker=MosquittoBroker(_broker_address(settings)),
            passwords=BcryptPasswords(settings[access.HASH_COST]),
            logins=patience_of(settings),
            guesses=GuessLimiter(),
            signups=SignupAttempts(),
            secrets=cluster_secrets(url, secret=secret, secret_key=settings[cluster.SECRET_KEY]),
        )

    def to_open(self, settings: Settings) -> "list[Opened]":
        """In this order."""
        opened: list[Opened] = [self.transactions, self.secrets, self.notifications, self.broker]
        if settings[cluster.REDIS_URL]:
            windows = {**self.logins.windows(), **self.guesses.windows(), **self.signups.windows()}
            opened.append(Echo(settings[cluster.REDIS_URL], windows))
        return opened

    def describe(self, watched: Observing) -> None:
        """Have them counted."""
        describe_pool(watched.registry, self.transactions.statistics)
        describe_commits(watched.registry, self.transactions.groups)
        describe_hearing(watched.registry, self.notifications)
        describe_broker(watched.registry, self.broker)


def _adapters(parts: _Parts, settings: Settings, watched: Observing) -> Adapters:
    _, secret = _required(settings)
    return Adapters(
        transactions=Object(watched.transactions(parts.transactions, "postgresql")),
        signals=Object(parts.signals),
        locks=Object(parts.locks),
        storage=Object(PostgresStorage(parts.transactions, most_bytes=settings[DATABASE_MAX])),
        quota=Object(FixedQuota(settings[declared.MOST_DEVICES])),
        challenge_secret=Object(parts.secrets.challenges),
        server_keys=Object(server_keys_of(settings, parts.secrets.server_keys)),
        passwords=Object(parts.passwords),
        broker_probe=Object(NetworkBrokerProbe(SystemIds(), anywhere=settings[declared.PROBE_ANYWHERE])),
        token_signer=Object(JwtSigner(secret)),
        logins=Object(parts.logins),
        guesses=Object(parts.guesses),
        signups=Object(parts.signups),
        broker=Object(parts.broker),
        mqtt_passwords_to_hand_over=Object(_passwords_to_hand_over(settings, secret)),
    )


def _passwords_to_hand_over(settings: Settings, secret: str) -> PasswordsToHandOver:
    if not settings[cluster.MQTT_ACCOUNTS_AT_BROKER]:
        return NowhereToHandOver()
    return SealedMqttPasswords(settings[cluster.SECRET_KEY] or secret)


def _dynamic_accounts(adapters: Adapters, settings: Settings) -> DynamicAccounts | None:
    if not settings[cluster.MQTT_ACCOUNTS_AT_BROKER]:
        return None
    return DynamicAccounts(
        partial(control_of, _broker_address(settings)),
        adapters.transactions(),
        adapters.mqtt_accounts(),
        adapters.mqtt_user_store(),
        adapters.mqtt_passwords_to_hand_over(),
    )


def _tell_where_the_broker_is(services: Services, settings: Settings) -> str:
    named = settings[declared.MQTT_BROKER_URL]
    told = Endpoint(named or settings[cluster.MQTT_URL])
    services.mqtt_endpoints.reachable_at(told, override=told if named else None)
    return told.url


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
        asked_every=settings[declared.HEARTBEAT_INTERVAL],
    )
