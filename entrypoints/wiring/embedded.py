"""The embedded profile: SQLite, the broker built in, one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import fields, frozen

from adapters.amqtt import EmbeddedBroker
from adapters.sql.migrations import migrate_sqlite
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.storage import SqliteStorage
from adapters.system import SecretFiles, SystemClock, SystemIds
from adapters.system.attempts import LoginAttempts
from adapters.system.broker_probe import NetworkBrokerProbe
from adapters.system.locks import OwnLocks
from adapters.system.passwords import BcryptPasswords
from adapters.system.server_keys import KeyCupboard, KeyFolder, RsaServerKeys
from adapters.system.tokens import JwtSigner
from core import access, provisioning
from core.migrations import MigrationFolder
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import Settings
from core.transactions import ELSEWHERE, Signals
from entrypoints.observing.inside import describe_commits
from entrypoints.wiring import settings as declared
from entrypoints.wiring.adapters import Adapters
from entrypoints.wiring.containers import Features
from entrypoints.wiring.injection import Object
from entrypoints.wiring.observing import Observing
from entrypoints.wiring.room import DATABASE_MAX

DATABASE = "iotistic.db"
SECRETS = "secrets"
WATCH_EVERY = timedelta(seconds=1)
SERVER_KEYS = "provisioning"


@frozen
class FixedQuota:
    """Implements `core.devices.Quota` by a setting: who hosts it himself has no limit, unless he wants one."""

    limit: int

    def most_devices(self) -> int | None:
        """The limit, or None for no limit."""
        return self.limit or None


@frozen(kw_only=True)
class Embedded:
    """What the embedded profile is made of."""

    services: Services
    broker: EmbeddedBroker
    tasks: Sequence[PeriodicTask]


@asynccontextmanager
async def embedded(
    data: Path, settings: Settings, migrations: Sequence[MigrationFolder], *, watched: Observing | None = None
) -> AsyncIterator[Embedded]:
    """All features on the database in `data`, brought up to date. Nothing listens yet."""
    await asyncio.to_thread(migrate_sqlite, data / DATABASE, migrations)
    signals = LocalSignals()
    most_bytes = settings[DATABASE_MAX]
    transactions = SqliteTransactions(data / DATABASE, signals, most_bytes=most_bytes)
    await transactions.open()
    passwords = BcryptPasswords(settings[access.HASH_COST])
    try:
        adapters = Adapters(
            transactions=Object(watched.transactions(transactions, "sqlite") if watched else transactions),
            signals=Object(signals),
            locks=Object(OwnLocks()),
            storage=Object(SqliteStorage(data / DATABASE, transactions, most_bytes=most_bytes)),
            quota=Object(FixedQuota(settings[declared.MOST_DEVICES])),
            secret_files=Object(SecretFiles(data / SECRETS)),
            challenge_secret=Object(SecretFiles(data / SECRETS).get("challenges")),
            server_keys=Object(server_keys_of(settings, KeyFolder(data / SECRETS / SERVER_KEYS))),
            passwords=Object(passwords),
            broker_probe=Object(NetworkBrokerProbe(SystemIds(), anywhere=settings[declared.PROBE_ANYWHERE])),
            token_signer=Object(_token_signer(settings, SecretFiles(data / SECRETS))),
            logins=Object(patience_of(settings)),
        )
        features = Features(
            adapters=adapters,
            settings=Object(settings),
            offline_after=Object(settings[declared.OFFLINE_AFTER]),
            one_of_many=Object(False),  # noqa: FBT003 - a line of a table
        )
        broker = EmbeddedBroker(
            features.mqtt_accounts(),
            features.device_messages(),
            host=settings[declared.HOST],
            port=settings[declared.MQTT_PORT],
            observers=(features.mqtt_monitor(), features.traffic()),
        )
        adapters.broker.override(Object(broker))
        if watched is not None:
            describe_commits(watched.registry, transactions)
        watching = PeriodicTask(name="database.elsewhere", every=WATCH_EVERY, run=_watching(transactions, signals))
        yield Embedded(services=services_of(adapters, features, settings), broker=broker, tasks=[watching])
    finally:
        passwords.close()
        await transactions.close()


def _watching(transactions: SqliteTransactions, signals: Signals) -> Callable[[], Awaitable[None]]:
    """Notices what `iotistic reset-password` and the like do to the file while we run."""

    async def watch() -> None:
        if await transactions.changed_elsewhere():
            signals.send(ELSEWHERE, "")

    return watch


def _token_signer(settings: Settings, secrets: SecretFiles) -> JwtSigner:
    """Signs with the secret of the operator, or one that is made up and kept. Invalid if it can be guessed."""
    return JwtSigner(settings[access.TOKEN_SECRET] or secrets.get("jwt"))


def server_keys_of(settings: Settings, cupboard: KeyCupboard) -> RsaServerKeys:
    """Our keys for provisioning v2, kept in this cupboard."""
    lifetime, grace = settings[provisioning.KEY_LIFETIME], settings[provisioning.KEY_GRACE]
    return RsaServerKeys(cupboard, SystemClock(), lifetime=lifetime, grace=grace)


def patience_of(settings: Settings) -> LoginAttempts:
    """How often somebody may try to log in."""
    return LoginAttempts(
        per_account=settings[access.LOGINS_PER_ACCOUNT],
        per_address=settings[access.LOGINS_PER_ADDRESS],
        span=settings[access.LOGIN_WINDOW],
    )


def services_of(adapters: Adapters, features: Features, settings: Settings) -> Services:
    """The driving side: each field of Services is the line of that name in one of the tables."""
    made: dict[str, Any] = {"settings": settings}
    for field in fields(Services):
        if field.name not in made:
            table = features if field.name in features.providers else adapters
            made[field.name] = table.providers[field.name]()
    return Services(**made)
