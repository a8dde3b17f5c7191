"""Fleets that are already known: written into the database at once, since enrolling 100,000 takes minutes."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import field, frozen

from adapters.sql.device_state import deployed_states
from adapters.sql.devices import device_keys, devices
from adapters.sql.mqtt import mqtt_users
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.transactions import sql
from core.digests import digest_of
from entrypoints.bench.mqtt_load import Login

CHUNK = 5_000
CONFIG = {
    "logging": {"level": "info", "enableRemoteLogging": True},
    "settings": {"metricsIntervalMs": 60000, "deviceReportIntervalMs": 30000},
}


@frozen(kw_only=True)
class KnownDevice:
    """A device with everything it proves itself by."""

    uuid: str
    key: str = field(repr=False)
    login: Login = field(repr=False)


def made_up(number: int) -> list[KnownDevice]:
    """Devices nobody knows yet."""
    made = []
    for _ in range(number):
        name = str(uuid.uuid4())
        login = Login(username=f"device_{name}", password=secrets.token_hex(32))
        made.append(KnownDevice(uuid=name, key=secrets.token_hex(32), login=login))
    return made


async def make_known(database: Path, fleet: Sequence[KnownDevice]) -> None:
    """Write the devices into a file that has been migrated and that no server has open."""
    await write_known(SqliteTransactions(database, LocalSignals()), fleet)


async def make_known_to(url: str, fleet: Sequence[KnownDevice]) -> None:
    """Write the devices into a PostgreSQL database that has been migrated."""
    await write_known(PostgresTransactions(url, LocalSignals(), most=2), fleet)


async def write_known(transactions: SqliteTransactions | PostgresTransactions, fleet: Sequence[KnownDevice]) -> None:
    """Write the devices into a database that is not open yet."""
    await transactions.open()
    try:
        for first in range(0, len(fleet), CHUNK):
            chunk = fleet[first : first + CHUNK]
            async with transactions.begin() as tx:
                await sql(tx).run(devices.insert(), [_device_row(device) for device in chunk])
                await sql(tx).run(device_keys.insert(), [_key_row(device) for device in chunk])
                await sql(tx).run(mqtt_users.insert(), [_account_row(device) for device in chunk])
                await sql(tx).run(deployed_states.insert(), [_state_row(device) for device in chunk])
    finally:
        await transactions.close()


def _device_row(device: KnownDevice) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "uuid": device.uuid,
        "name": f"bench-{device.uuid[:8]}",
        "type": "bench",
        "status": "active",
        "provisioning": "registered",
        "fleet_id": "bench",
        "is_online": False,
        "created_at": now,
        "modified_at": now,
        "revision": 1,
    }


def _key_row(device: KnownDevice) -> dict[str, object]:
    return {"device_uuid": device.uuid, "digest": digest_of(device.key), "issued_at": datetime.now(UTC)}


def _account_row(device: KnownDevice) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "username": device.login.username,
        "digest": digest_of(device.login.password),
        "is_superuser": False,
        "is_active": True,
        "device_uuid": device.uuid,
        "created_at": now,
        "updated_at": now,
    }


def _state_row(device: KnownDevice) -> dict[str, object]:
    return {
        "device_uuid": device.uuid,
        "version": 1,
        "apps": {},
        "config": CONFIG,
        "apps_count": 0,
        "deployed_at": datetime.now(UTC),
        "deployed_by": "system",
    }
