"""The names under which a broker keeps messages for us, in SQL. Implements `entrypoints.mqtt.seats.SeatBook`."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, Table, Text, delete, select

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.transactions import Transaction

mqtt_seats = Table(
    "mqtt_seats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("held_at", Instant, nullable=False),
)


class SqlMqttSeats:
    """One row a seat."""

    async def held(self, tx: Transaction, name: str, now: datetime) -> None:
        """Somebody holds the seat."""
        put = sql(tx).insert(mqtt_seats).values(name=name, held_at=now)
        await sql(tx).run(put.on_conflict_do_update(index_elements=["name"], set_={"held_at": now}))

    async def all(self, tx: Transaction) -> Mapping[str, datetime]:
        """Every seat that was ever held and not given up, and when it was held last."""
        rows = await sql(tx).rows(select(mqtt_seats.c.name, mqtt_seats.c.held_at))
        return {row.name: row.held_at for row in rows}

    async def give_up(self, tx: Transaction, name: str) -> None:
        """The broker keeps nothing under this name any more."""
        await sql(tx).run(delete(mqtt_seats).where(mqtt_seats.c.name == name))
