"""The audit log, to be read. There is no route that changes it."""

from typing import Any

from aiohttp import web

from core.audit import AUDIT_READ, MOST_ENTRIES, AuditEntry, AuditQuery, Severity, cursor_of
from core.ids import device_uuid
from core.services import Services
from entrypoints.http.declarations import integer, moment, text, word
from entrypoints.http.requests import Query, actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with


class AuditRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._audit_log = services.audit_log

    async def index(self, request: web.Request) -> web.Response:
        """A page of entries, newest first; `next` is the cursor of the page after it."""
        page = await self._audit_log.entries(actor_of(request), _query_of(Query(request)))
        entries = [as_json(entry) for entry in page.items]
        return json({"count": len(entries), "entries": entries, "next": page.next})


def _query_of(query: Query) -> AuditQuery:
    device = query.text("device")
    return AuditQuery(
        event=query.text("event"),
        severity=query.word("severity", Severity),
        device_uuid=None if device is None else device_uuid(device, "device"),
        actor=query.text("actor"),
        since=query.moment("from"),
        until=query.moment("to"),
        limit=query.integer("limit", default=100, lowest=1, highest=MOST_ENTRIES),
        before=cursor_of(query.text("cursor")),
    )


def as_json(entry: AuditEntry) -> dict[str, Any]:
    """An entry as people see it."""
    return {
        "id": entry.id,
        "at": entry.at,
        "event": entry.event,
        "severity": entry.severity,
        "actor": entry.actor,
        "deviceUuid": entry.device_uuid,
        "address": entry.address,
        "details": entry.details,
    }


def audit_routes(services: Services) -> list[Route]:
    """The route of the audit log."""
    return [
        Route(
            method="GET",
            path="/audit-logs",
            handler=AuditRoutes(services).index,
            allow=user_with(AUDIT_READ),
            summary="Read the audit log",
            query=(
                text("event", "Only entries of this event"),
                word("severity", "Only entries of this severity", Severity),
                text("device", "Only entries about the device with this uuid"),
                text("actor", "Only entries of what this actor did"),
                moment("from", "Not before"),
                moment("to", "Not after"),
                integer("limit", "Entries of a page", default=100, lowest=1, highest=MOST_ENTRIES),
                text("cursor", "`next` of the page before"),
            ),
        )
    ]
