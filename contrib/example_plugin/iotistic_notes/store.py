"""Notes in SQL. The table stands in the same database as those of devices, so one transaction covers both."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from iotistic import DeviceUuid, Instant, NotFound, Transaction, metadata, sql
from sqlalchemy import Column, ForeignKey, Index, Integer, Row, Table, Text, delete, func, select

from iotistic_notes.model import Note

notes_entries = Table(
    "notes_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("announcement_id", Integer, unique=True),
    Index("ix_notes_entries_device_uuid", "device_uuid"),
    sqlite_autoincrement=True,
)


async def add(tx: Transaction, note: Note) -> int:
    """Keep the note; the number it got."""
    inserted = sql(tx).insert(notes_entries).values(_to_row(note)).returning(notes_entries.c.id)
    number: int = await sql(tx).value(inserted)
    return number


async def add_once(tx: Transaction, note: Note, announcement_id: int) -> None:
    """Keep the note unless one was kept for the same announcement: reactions may run twice."""
    row = _to_row(note) | {"announcement_id": announcement_id}
    await sql(tx).run(sql(tx).insert(notes_entries).values(row).on_conflict_do_nothing())


async def of_device(tx: Transaction, uuid: DeviceUuid) -> Sequence[Note]:
    """The notes on a device, newest first."""
    found = select(notes_entries).where(notes_entries.c.device_uuid == uuid).order_by(notes_entries.c.id.desc())
    return [_from_row(row) for row in await sql(tx).rows(found)]


async def remove(tx: Transaction, uuid: DeviceUuid, note_id: int) -> None:
    """Forget a note. NotFound when the device has none of this number."""
    one = (notes_entries.c.device_uuid == uuid) & (notes_entries.c.id == note_id)
    if not await sql(tx).run(delete(notes_entries).where(one)):
        raise NotFound("there is no such note")


async def remove_older(tx: Transaction, moment: datetime) -> int:
    """Forget what was written before; how many notes that were."""
    return await sql(tx).run(delete(notes_entries).where(notes_entries.c.written_at < moment))


async def count(tx: Transaction) -> int:
    """How many notes there are."""
    number: int = await sql(tx).value(select(func.count()).select_from(notes_entries))
    return number


def _to_row(note: Note) -> dict[str, Any]:
    return {
        "device_uuid": note.device_uuid,
        "text": note.text,
        "written_by": note.written_by,
        "written_at": note.written_at,
    }


def _from_row(row: Row[Any]) -> Note:
    return Note(
        id=row.id,
        device_uuid=DeviceUuid(row.device_uuid),
        text=row.text,
        written_by=row.written_by,
        written_at=row.written_at,
    )
