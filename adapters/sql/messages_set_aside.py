"""Messages that could not be understood, in SQL. Implements `core.mqtt.SetAside`."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from adapters.sql.telemetry_rows import GrowingTable
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from core.ids import DeviceUuid
from core.mqtt import Message
from core.transactions import Transaction

messages_set_aside = Table(
    "messages_set_aside",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_messages_set_aside_device_uuid", "device_uuid"),
)


class SqlSetAside(GrowingTable):
    """One row a message."""

    def __init__(self) -> None:
        super().__init__(messages_set_aside, messages_set_aside.c.received_at)

    async def keep(self, tx: Transaction, uuid: DeviceUuid, message: Message, reason: str, now: datetime) -> None:
        """Remember the message as it came."""
        row = {
            "device_uuid": uuid,
            "received_at": now,
            "topic": message.topic,
            "payload": message.payload,
            "reason": reason,
        }
        await sql(tx).run(messages_set_aside.insert(), row)
