"""What people do with notes, and what we do by ourselves."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from iotistic import (
    Actor,
    Announced,
    Device,
    DeviceRegistered,
    DeviceUuid,
    Permission,
    Services,
    Setting,
    Transaction,
    require,
    seconds,
    text,
)

from iotistic_notes import store
from iotistic_notes.model import Note, NoteRemoved, NoteWritten

NOTES_READ = Permission("notes:read")
NOTES_WRITE = Permission("notes:write")

WELCOME = Setting(
    name="NOTES_WELCOME",
    read=text,
    default="registered as {name}",
    summary="The first note on every new device; {name} is the device's",
)
KEEP = Setting(name="NOTES_KEEP", read=seconds, default=timedelta(days=365), summary="How long notes are kept")


class Notes:
    """Reads, writes and removes notes; gives every new device one."""

    def __init__(self, services: Services) -> None:
        self._devices = services.devices
        self._transactions = services.transactions
        self._clock = services.clock
        self._welcome = services.settings[WELCOME]
        self._keep = services.settings[KEEP]

    async def of_device(self, actor: Actor, uuid: DeviceUuid) -> Sequence[Note]:
        """The notes on a device, newest first. NotFound when there is no such device."""
        require(actor, NOTES_READ)
        await self._devices.overview(actor, uuid)
        async with self._transactions.read() as tx:
            return await store.of_device(tx, uuid)

    async def write(self, actor: Actor, uuid: DeviceUuid, words: str) -> int:
        """Stick a note to a device; the note's number. NotFound when there is no such device."""
        require(actor, NOTES_WRITE)
        await self._devices.overview(actor, uuid)
        now = self._clock.now()
        note = Note(device_uuid=uuid, text=words, written_by=actor.reference, written_at=now)
        async with self._transactions.begin() as tx:
            number = await store.add(tx, note)
            tx.announce(NoteWritten(at=now, by=actor.reference, uuid=uuid, note_id=number))
        return number

    async def remove(self, actor: Actor, uuid: DeviceUuid, note_id: int) -> None:
        """Take a note off a device. NotFound when it has none of this number."""
        require(actor, NOTES_WRITE)
        async with self._transactions.begin() as tx:
            await store.remove(tx, uuid, note_id)
            tx.announce(NoteRemoved(at=self._clock.now(), by=actor.reference, uuid=uuid, note_id=note_id))

    async def welcome(self, announced: Announced[DeviceRegistered]) -> None:
        """Stick the first note to a device that has registered."""
        event = announced.event
        words = self._welcome.replace("{name}", event.name)
        note = Note(device_uuid=event.uuid, text=words, written_by="notes", written_at=event.at)
        async with self._transactions.begin() as tx:
            await store.add_once(tx, note, announced.id)

    async def issue(self, _tx: Transaction, device: Device) -> Mapping[str, Any]:
        """Tell a new device where its notes are."""
        return {"notes": {"path": f"/api/v1/devices/{device.uuid}/notes"}}

    async def remove_old(self) -> int:
        """Forget notes that are older than they may become; how many those were."""
        async with self._transactions.begin() as tx:
            return await store.remove_older(tx, self._clock.now() - self._keep)

    async def ping(self) -> int:
        """Raises when our table cannot be read."""
        async with self._transactions.read() as tx:
            return await store.count(tx)
