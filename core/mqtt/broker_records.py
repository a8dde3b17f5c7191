"""Definitions of brokers among the stored settings, under the keys of the original (contract §7, §4.16)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict

from core.errors import NotFound
from core.mqtt.definition import BrokerDefinition, BrokerId
from core.mqtt.endpoint import ClientOptions
from core.settings import StoredSettings
from core.transactions import Transaction

IDS = "mqtt.brokerIds"
DEFAULT = "mqtt.defaultBrokerId"
ONE = "mqtt.brokers."

_FIELDS = {
    "name": "name",
    "description": "description",
    "protocol": "protocol",
    "host": "host",
    "port": "port",
    "path": "path",
    "username": "username",
    "password": "password",
    "isActive": "is_active",
}
_OPTIONS = {
    "clientIdPrefix": "client_id_prefix",
    "keepAlive": "keep_alive",
    "cleanSession": "clean_session",
    "reconnectPeriod": "reconnect_period",
    "connectTimeout": "connect_timeout",
    "verifyCertificate": "verify_certificate",
    "caCert": "ca_cert",
    "clientCert": "client_cert",
}


class BrokerRecords:
    """Reads and writes the settings `mqtt.brokerIds`, `mqtt.defaultBrokerId` and `mqtt.brokers.<id>`."""

    def __init__(self, settings: StoredSettings) -> None:
        self._settings = settings

    async def hold(self, tx: Transaction) -> None:
        """Hold up others who change brokers, or send devices to them, until the transaction ends."""
        await self._settings.hold(tx, IDS)

    async def all(self, tx: Transaction) -> Sequence[BrokerDefinition]:
        """Every broker, in the order in which they were defined."""
        found = [await self.find(tx, broker_id) for broker_id in await self._ids(tx)]
        return [broker for broker in found if broker is not None]

    async def find(self, tx: Transaction, broker_id: BrokerId) -> BrokerDefinition | None:
        """The broker, or None."""
        record = await self._settings.get(tx, f"{ONE}{broker_id}")
        return None if record is None else _from_record(broker_id, record)

    async def get(self, tx: Transaction, broker_id: BrokerId) -> BrokerDefinition:
        """The broker. NotFound."""
        broker = await self.find(tx, broker_id)
        if broker is None:
            raise NotFound("there is no such broker")
        return broker

    async def next_id(self, tx: Transaction) -> BrokerId:
        """A number that no broker has."""
        return BrokerId(max(await self._ids(tx), default=0) + 1)

    async def save(self, tx: Transaction, broker: BrokerDefinition) -> None:
        """Remember the broker in place of the one with its number."""
        ids = await self._ids(tx)
        if broker.id not in ids:
            await self._settings.put(tx, IDS, [*ids, broker.id])
        await self._settings.put(tx, f"{ONE}{broker.id}", _to_record(broker))

    async def remove(self, tx: Transaction, broker_id: BrokerId) -> None:
        """Forget the broker, its password with it."""
        await self._settings.put(tx, IDS, [known for known in await self._ids(tx) if known != broker_id])
        await self._settings.put(tx, f"{ONE}{broker_id}", None)

    async def default_id(self, tx: Transaction) -> BrokerId | None:
        """The number of the broker that devices are told of unless they are assigned to another."""
        number = await self._settings.get(tx, DEFAULT)
        return BrokerId(number) if isinstance(number, int) else None

    async def set_default(self, tx: Transaction, broker_id: BrokerId | None) -> None:
        """Let this be the one; None: devices are told of the embedded broker."""
        await self._settings.put(tx, DEFAULT, broker_id)

    async def _ids(self, tx: Transaction) -> Sequence[BrokerId]:
        ids: Sequence[BrokerId] = await self._settings.get(tx, IDS) or ()
        return ids


def _to_record(broker: BrokerDefinition) -> Mapping[str, Any]:
    values, options = asdict(broker, recurse=False), asdict(broker.options)
    return {
        **{key: values[name] for key, name in _FIELDS.items()},
        **{key: options[name] for key, name in _OPTIONS.items()},
        "createdAt": broker.created_at.isoformat(),
        "updatedAt": broker.updated_at.isoformat(),
    }


def _from_record(broker_id: BrokerId, record: Mapping[str, Any]) -> BrokerDefinition:
    options = {name: record[key] for key, name in _OPTIONS.items() if key in record}
    values = {name: record[key] for key, name in _FIELDS.items() if key in record}
    return BrokerDefinition(
        id=broker_id,
        options=ClientOptions(**options),
        created_at=datetime.fromisoformat(record["createdAt"]),
        updated_at=datetime.fromisoformat(record["updatedAt"]),
        **values,
    )
