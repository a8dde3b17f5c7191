"""Dead letters: reactions that were given up, for people to look at and try again."""

import re
from typing import Any

from aiohttp import web

from core.errors import Invalid
from core.outbox import OUTBOX_READ, OUTBOX_RETRY, DeadLetter
from core.services import Services
from entrypoints.http.declarations import integer
from entrypoints.http.requests import Query, actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with


class OutboxRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._outbox = services.outbox

    async def dead_letters(self, request: web.Request) -> web.Response:
        """Deliveries that were given up, newest first."""
        limit = Query(request).integer("limit", default=100, lowest=1, highest=500)
        letters = await self._outbox.dead_letters(actor_of(request), limit)
        return json({"count": len(letters), "deadLetters": [as_json(letter) for letter in letters]})

    async def retry(self, request: web.Request) -> web.Response:
        """Try one again."""
        number = request.match_info["eventId"]
        if not re.fullmatch(r"\d{1,18}", number, re.ASCII):
            raise Invalid("eventId must be a number", field="eventId")
        await self._outbox.revive(actor_of(request), int(number), request.match_info["reaction"])
        return json({"status": "ok", "message": "it will be tried again now"})


def as_json(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter, without the event's contents."""
    return {
        "eventId": letter.failure.event_id,
        "event": letter.event,
        "announcedAt": letter.announced_at,
        "reaction": letter.failure.reaction,
        "attempts": letter.failure.attempts,
        "error": letter.failure.error,
    }


def outbox_routes(services: Services) -> list[Route]:
    """The routes of the outbox."""
    own = OutboxRoutes(services)
    return [
        Route(
            method="GET",
            path="/outbox/dead-letters",
            handler=own.dead_letters,
            allow=user_with(OUTBOX_READ),
            summary="List reactions that were given up",
            query=(integer("limit", "How many at most", default=100, lowest=1, highest=500),),
        ),
        Route(
            method="POST",
            path="/outbox/dead-letters/{eventId}/{reaction}/retry",
            handler=own.retry,
            allow=user_with(OUTBOX_RETRY),
            summary="Try a reaction again",
            body=None,
        ),
    ]
