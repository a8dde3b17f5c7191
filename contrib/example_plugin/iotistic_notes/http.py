"""Notes over HTTP."""

from typing import Any

import msgspec
from aiohttp import web
from iotistic import Invalid, Route, actor_of, body_as, device_of, json, user_with

from iotistic_notes.model import Note
from iotistic_notes.service import NOTES_READ, NOTES_WRITE, Notes


class NewNote(msgspec.Struct):
    """The body of a new note."""

    text: str


class NoteRoutes:
    """Handlers: each reads the request, asks the service, writes the answer."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    async def of_device(self, request: web.Request) -> web.Response:
        """The notes on a device, newest first."""
        notes = await self._notes.of_device(actor_of(request), device_of(request))
        return json({"count": len(notes), "notes": [_as_json(note) for note in notes]})

    async def write(self, request: web.Request) -> web.Response:
        """A new note."""
        wanted = await body_as(request, NewNote)
        number = await self._notes.write(actor_of(request), device_of(request), wanted.text)
        return json({"id": number}, status=201)

    async def remove(self, request: web.Request) -> web.Response:
        """One note less."""
        await self._notes.remove(actor_of(request), device_of(request), _note_of(request))
        return web.Response(status=204)

    def routes(self) -> list[Route]:
        """What we serve, and whom each route lets pass."""
        notes, note = "/devices/{uuid}/notes", "/devices/{uuid}/notes/{noteId}"
        reader, writer = user_with(NOTES_READ), user_with(NOTES_WRITE)
        return [
            Route(method="GET", path=notes, handler=self.of_device, allow=reader, summary="List a device's notes"),
            Route(
                method="POST",
                path=notes,
                handler=self.write,
                allow=writer,
                summary="Write a note",
                body=NewNote,
                answers={201: "The number of the note"},
            ),
            Route(method="DELETE", path=note, handler=self.remove, allow=writer, summary="Remove a note"),
        ]


def _note_of(request: web.Request) -> int:
    number = request.match_info["noteId"]
    if not (number.isascii() and number.isdecimal()):
        raise Invalid("noteId must be a number", field="noteId")
    return int(number)


def _as_json(note: Note) -> dict[str, Any]:
    return {"id": note.id, "text": note.text, "writtenBy": note.written_by, "writtenAt": note.written_at}
