"""The HTTP application: every route behind its guard."""

import logging
import re
from collections.abc import Iterable
from itertools import count
from secrets import token_hex
from time import perf_counter

import structlog
from aiohttp import web

from core.errors import Refusal
from core.events import CORRELATION
from entrypoints.http.authentication import Authentication
from entrypoints.http.cors import Cors
from entrypoints.http.errors import response_to, response_to_http
from entrypoints.http.prometheus import HttpMetrics
from entrypoints.http.requests import ACTOR, ROUTE
from entrypoints.http.responses import json
from entrypoints.http.routing import Handler, Route

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
REQUEST_ID = "X-Request-ID"

_USABLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_THIS_START = token_hex(4)
_requests = count(1)


def request_id_of(request: web.Request) -> str:
    """The name of the request, in log lines and events: that of whoever sent it, or a new one."""
    named = request.headers.get(REQUEST_ID)
    return named if named is not None and _USABLE_ID.fullmatch(named) else f"{_THIS_START}-{next(_requests)}"


def path_of(route: Route) -> str:
    """The whole path of a route."""
    return route.path if route.root else PREFIX + route.path


def application(
    routes: Iterable[Route], authentication: Authentication, metrics: HttpMetrics, cors: Cors
) -> web.Application:
    """An application with these routes. ValueError when one is given twice."""
    app = web.Application(middlewares=[cors.middleware, _outermost])
    taken: set[tuple[str, str]] = set()
    for route in routes:
        key = (route.method, path_of(route))
        if key in taken:
            raise ValueError(f"two routes serve {route.method} {path_of(route)}")
        taken.add(key)
        app.router.add_route(route.method, path_of(route), _guarded(route, authentication, metrics))
    return app


def _guarded(route: Route, authentication: Authentication, metrics: HttpMetrics) -> Handler:
    """The handler, behind the question who asks."""
    label = f"{route.method} {path_of(route)}"

    async def guarded(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        request[ROUTE] = route
        try:
            request[ACTOR] = await authentication.actor_for(request, route.allow)
            response = await route.handler(request)
        except Refusal as refusal:
            response = response_to(refusal)
        metrics.served(label, response.status, perf_counter() - began)
        return response

    return guarded


@web.middleware
async def _outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name the request in every log line and event; tell of bugs without details."""
    request_id = request_id_of(request)
    CORRELATION.set(request_id)
    with structlog.contextvars.bound_contextvars(request=request_id):
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = response_to_http(error)
        except Exception:
            log.exception("a bug, in %s %s", request.method, request.path)
            response = json({"error": "Internal server error", "message": "this is a bug of ours"}, status=500)
    if not response.prepared:
        # Which versions of what run here is nobody's business.
        response.headers["Server"] = "iotistic"
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
    return response
