"""Refusals as HTTP, in one table."""

import logging
import math
from http import HTTPStatus
from typing import Any

from aiohttp import web

from core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    QuotaExceeded,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from entrypoints.http.responses import json

log = logging.getLogger(__name__)

STATUS: dict[type[Refusal], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    QuotaExceeded: HTTPStatus.PAYMENT_REQUIRED,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def response_to(refusal: Refusal) -> web.Response:
    """The answer that tells of a refusal."""
    status = STATUS[type(refusal)]
    headers: dict[str, str] = {}
    retry_after = getattr(refusal, "retry_after", None)
    if isinstance(refusal, QuotaExceeded) and retry_after is not None:
        status = HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(refusal, Conflict) and refusal.stale:
        status = HTTPStatus.PRECONDITION_FAILED
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    body: dict[str, Any] = {"error": status.phrase, "message": refusal.message}
    if isinstance(refusal, Invalid) and refusal.fields:
        body["fields"] = refusal.fields
    if isinstance(refusal, Forbidden) and refusal.needed:
        body |= {"required": refusal.needed, "missing": refusal.missing, "userRole": refusal.role}
    if isinstance(refusal, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="iotistic"'
    log.info("refused with %d: %s", status, refusal.message, extra={"context": refusal.context})
    return json(body, status=status, headers=headers)


def response_to_http(error: web.HTTPException) -> web.Response:
    """aiohttp's own refusals in our form."""
    status = HTTPStatus(error.status)
    headers = {name: value for name, value in error.headers.items() if name.lower() in {"allow", "location"}}
    body: dict[str, Any] = {"error": status.phrase, "message": status.description or error.reason}
    if status is HTTPStatus.NOT_FOUND:
        body = {
            "error": "Not found",
            "message": "there is nothing at this path",
            "hint": "the API begins at /api/v1",
        }
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        body["message"] = "the body is too large, or expands too far"
    return json(body, status=status, headers=headers)
