"""The names under which a broker keeps messages for us, in SQL. Implements `entrypoints.mqtt.seats.SeatBook`."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, Table, Text, delete, select, update

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.transactions import Transaction

mqtt_seats = Table(
    "mqtt_seats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("held_at", Instant, nullable=False),
)


class SqlMqttSeats:
    """One row a seat."""

    async def claim(self, tx: Transaction, name: str, holder: str, now: datetime) -> None:
        """From now on the seat is this holder's."""
        mark = {"holder": holder, "held_at": now}
        put = sql(tx).insert(mqtt_seats).values(name=name, **mark)
        await sql(tx).run(put.on_conflict_do_update(index_elements=["name"], set_=mark))

    async def confirm(self, tx: Transaction, name: str, holder: str, now: datetime) -> bool:
        """Note that the holder has it still; False if it is another's by now."""
        own = update(mqtt_seats).where(mqtt_seats.c.name == name, mqtt_seats.c.holder == holder)
        return await sql(tx).run(own.values(held_at=now)) > 0

    async def all(self, tx: Transaction) -> Mapping[str, tuple[str, datetime]]:
        """Every seat that was ever held and not given up: by whom, and when it was held last."""
        rows = await sql(tx).rows(select(mqtt_seats.c.name, mqtt_seats.c.holder, mqtt_seats.c.held_at))
        return {row.name: (row.holder, row.held_at) for row in rows}

    async def give_up(self, tx: Transaction, name: str) -> None:
        """The broker keeps nothing under this name any more."""
        await sql(tx).run(delete(mqtt_seats).where(mqtt_seats.c.name == name))
