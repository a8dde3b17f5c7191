"""The HTTP application: every route behind its guard."""

import logging
import re
from collections.abc import Callable, Iterable
from itertools import count
from secrets import token_hex
from time import perf_counter

from aiohttp import web

from core.errors import Refusal
from core.events import CORRELATION
from core.traffic import Traffic
from entrypoints.http.authentication import Authentication
from entrypoints.http.cors import Cors
from entrypoints.http.crowd import Crowd
from entrypoints.http.errors import response_to, response_to_http
from entrypoints.http.prometheus import HttpMetrics
from entrypoints.http.requests import ACTOR, ROUTE, actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Caller, Handler, Route
from entrypoints.observing.tracing import Traces

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
REQUEST_ID = "X-Request-ID"
Naming = Callable[[web.Request], str | None]
_ELSEWHERE = "/{elsewhere}"
DEVICES = frozenset({Caller.DEVICE, Caller.DEVICE_OR_USER})

_USABLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_THIS_START = token_hex(4)
_requests = count(1)


def request_id_of(request: web.Request, naming: Naming | None = None) -> str:
    """The name of the request, in log lines and events: that of whoever sent it, or a new one."""
    named = request.headers.get(REQUEST_ID)
    if named is not None and _USABLE_ID.fullmatch(named):
        return named
    return (naming and naming(request)) or f"{_THIS_START}-{next(_requests)}"


def path_of(route: Route) -> str:
    """The whole path of a route."""
    return route.path if route.root else PREFIX + route.path


def application(
    routes: Iterable[Route],
    authentication: Authentication,
    metrics: HttpMetrics,
    cors: Cors,
    traffic: Traffic,
    *,
    crowd: Crowd,
    traces: Traces | None = None,
) -> web.Application:
    """An application with these routes. ValueError when one is given twice.

    Probes and what stays open are served however many are in the `crowd`.
    """
    naming = traces.name_of if traces else None
    app = web.Application(middlewares=cors.middlewares)
    taken: set[tuple[str, str]] = set()
    for route in routes:
        key = (route.method, path_of(route))
        if key in taken:
            raise ValueError(f"two routes serve {route.method} {path_of(route)}")
        taken.add(key)
        serve = _guarded(route, authentication, metrics, traffic, naming)
        if traces is not None:
            serve = traces.serving(route.method, path_of(route), serve)
        if not (route.root or route.lasting):
            serve = crowd.bounded(serve)
        app.router.add_route(route.method, path_of(route), serve)
    # A path may contain a line break (%0A), which a plain dot would not match.
    app.router.add_route("*", _ELSEWHERE.replace("}", r":[\s\S]*}"), _nowhere)
    return app


def _guarded(
    route: Route, authentication: Authentication, metrics: HttpMetrics, traffic: Traffic, naming: Naming | None
) -> Handler:
    """The handler, behind the question who asks.

    One function for all that every request needs: aiohttp's middlewares cost about as much as the cheapest of our
    requests does.
    """
    path = path_of(route)
    identify = authentication.of(route.allow)
    observe = metrics.observer(f"{route.method} {path}")
    refused = metrics.refuser(f"{route.method} {path}")
    weigh = traffic.observer(path, route.method) if route.allow.caller in DEVICES else None

    async def guarded(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        request_id = request_id_of(request, naming)
        CORRELATION.set(request_id)
        request[ROUTE] = route
        try:
            request[ACTOR] = await identify(request)
            response = await route.handler(request)
        except Refusal as refusal:
            refused(refusal)
            response = response_to(refusal)
        except web.HTTPException as error:
            response = response_to_http(error)
        except Exception:
            log.exception("a bug, in %s %s", request.method, request.path)
            bug = {"error": "Internal server error", "message": "this is a bug of ours", "requestId": request_id}
            response = json(bug, status=500)
        seconds = perf_counter() - began
        observe(response.status, seconds)
        if weigh is not None:
            weigh(actor_of(request), response.status, (request.content.total_bytes, _size_of(response)), seconds)
        if not response.prepared:
            response.headers[REQUEST_ID] = request_id
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s %s: %d in %.1f ms", route.method, path, response.status, seconds * 1000)
        return _marked(response)

    return guarded


async def _nowhere(request: web.Request) -> web.StreamResponse:
    """No route serves this: another method might, or nothing is at this path."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource.canonical != _ELSEWHERE:
            allowed |= (await resource.resolve(request))[1]
    if allowed:
        return _marked(response_to_http(web.HTTPMethodNotAllowed(request.method, allowed)))
    if request.method == "GET" and await _served_without_slash(request):
        return _marked(web.Response(status=308, headers={"Location": _without_slash(request)}))
    return _marked(response_to_http(web.HTTPNotFound()))


async def _served_without_slash(request: web.Request) -> bool:
    """Whether only the slash at its end keeps the path from being one of ours."""
    path = request.rel_url.raw_path
    # Not with two slashes in front: that would be the name of another host.
    if not path.endswith("/") or path.startswith("//") or not _without_slash(request):
        return False
    shorter = await request.app.router.resolve(request.clone(rel_url=_without_slash(request)))
    return shorter.http_exception is None and shorter.handler is not _nowhere


def _without_slash(request: web.Request) -> str:
    return request.rel_url.raw_path.rstrip("/")


def _size_of(response: web.StreamResponse) -> int:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else 0


def _marked(response: web.StreamResponse) -> web.StreamResponse:
    """With the headers that all answers have, unless it has left already."""
    if not response.prepared:
        headers = response.headers
        # Which versions of what run here is nobody's business.
        headers["Server"] = "iotistic"
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Cache-Control", "no-store")
    return response
