"""What the monitor needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.ids import DeviceUuid
from core.monitoring.model import ArchiveSummary, SchemaChange, TopicRecord
from core.monitoring.schema import Schema
from core.transactions import Transaction


class TopicStore(Protocol):
    """Remembers topics and what their messages looked like. tests/contracts/topic_store.py says exactly how."""

    async def schemas(self, tx: Transaction, names: Sequence[str]) -> Mapping[str, Schema]:
        """The schemas of those topics that have one, within `begin()`; nobody else changes them until the end."""

    async def add(self, tx: Transaction, records: Sequence[TopicRecord]) -> None:
        """Count what came on top of what is known, and let type, schema and last moment be these.

        A schema that a record does not tell stays as it is.
        """

    async def changed(self, tx: Transaction, schemas: Mapping[str, Schema], at: datetime) -> None:
        """Write into the histories of these topics, which are known, that their messages look so from now on."""

    async def topics(self, tx: Transaction, limit: int) -> Sequence[TopicRecord]:
        """The topics, the one with the latest message first."""

    async def summary(self, tx: Transaction) -> ArchiveSummary:
        """What is kept in all."""

    async def history(self, tx: Transaction, name: str, limit: int) -> Sequence[SchemaChange]:
        """What the messages of a topic looked like, the newest first. NotFound if the topic is not known."""

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` topics that have been silent since before the moment; how many there were."""

    async def drop_beyond(self, tx: Transaction, kept: int, most: int) -> int:
        """Forget up to `most` of the longest silent topics, so that `kept` stay; how many there were."""

    async def drop_device(self, tx: Transaction, uuid: DeviceUuid, until: datetime, most: int) -> int:
        """Forget up to `most` topics of the device that began until the moment; how many there were."""
