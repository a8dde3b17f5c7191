"""A note, and what may be written in one."""

from datetime import datetime
from typing import ClassVar

from attrs import field, frozen
from iotistic import DeviceUuid, Event, PlainText

LONGEST = 2000


@frozen(kw_only=True)
class Note:
    """Something worth knowing about a device. `id` is 0 until it has been stored."""

    device_uuid: DeviceUuid
    text: str = field(validator=PlainText(longest=LONGEST))
    written_by: str
    written_at: datetime
    id: int = 0


@frozen(kw_only=True)
class NoteWritten(Event):
    """A person wrote a note. Its text stays out of the event: events go into the audit log."""

    NAME: ClassVar[str] = "note.written"
    uuid: DeviceUuid
    note_id: int


@frozen(kw_only=True)
class NoteRemoved(Event):
    """A person removed a note."""

    NAME: ClassVar[str] = "note.removed"
    uuid: DeviceUuid
    note_id: int
