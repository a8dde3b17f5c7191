"""HTTP: what is served, and the socket on which it is."""

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import pluggy
from aiohttp import web
from prometheus_client import CollectorRegistry

from core.errors import Unavailable
from core.services import Services
from core.settings import Settings
from entrypoints.http import malformed
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.app import application
from entrypoints.http.authentication import Authentication
from entrypoints.http.cors import Cors
from entrypoints.http.health import VERSION, HealthRoutes
from entrypoints.http.live import Live
from entrypoints.http.openapi_docs import OpenApiRoutes
from entrypoints.http.prometheus import HttpMetrics
from entrypoints.http.routing import Route
from entrypoints.http.standing import StandingMetrics
from entrypoints.wiring import settings as declared
from entrypoints.wiring.plugins import answers

DRAIN_SECONDS = 3.0
BACKLOG = 1024


def routes_of(
    services: Services, plugins: pluggy.PluginManager, registry: CollectorRegistry, more: Sequence[Route]
) -> Sequence[Route]:
    """What is served: probes, `more` (sockets), what the hook `routes` was answered, and the document of it all."""
    health = HealthRoutes(
        clock=services.clock,
        pings=answers(plugins.hook.pings, services=services),
        registry=registry,
        metrics_token=services.settings[declared.METRICS_TOKEN],
        before_metrics=StandingMetrics(services, registry).read,
    )
    documented = OpenApiRoutes(VERSION)
    theirs = answers(plugins.hook.routes, services=services)
    routes = (*health.routes(), *more, *theirs, *documented.routes())
    documented.describe(routes)
    return routes


def live_of(services: Services) -> Live:
    """Who watches is told what is new."""
    settings = services.settings
    named = [settings[declared.CLOUD_API_ENDPOINT], *settings[declared.CORS_ORIGINS]]
    origins = frozenset(origin.rstrip("/") for origin in named if origin)
    return Live(services, proxies=TrustedProxies(settings[declared.TRUSTED_PROXIES]), origins=origins)


def application_of(services: Services, routes: Sequence[Route], registry: CollectorRegistry) -> web.Application:
    """The routes, behind those who ask who calls, count, and see to it that errors read alike."""
    settings = services.settings
    return application(
        routes,
        Authentication(services, TrustedProxies(settings[declared.TRUSTED_PROXIES])),
        HttpMetrics(registry),
        Cors(settings[declared.CORS_ORIGINS]),
        services.traffic,
    )


@contextmanager
def door_of(settings: Settings, *, shared: bool = False) -> Iterator[socket.socket]:
    """The socket of HTTP. It is ours from now on, but nobody is served yet.

    Several processes of ours may listen on one port if each of them has `shared` it (SO_REUSEPORT): the kernel deals
    connections out to them.
    """
    host, port = settings[declared.HOST], settings[declared.PORT]
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        door = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=shared)
    except OSError as error:
        raise Unavailable(f"HTTP cannot listen on {host}:{port}: {error.strerror}; try --port") from error
    with door:
        yield door


def url_of(settings: Settings, port: int) -> str:
    """The address under which devices and people reach us, who listen on this port."""
    named = settings[declared.CLOUD_API_ENDPOINT].rstrip("/")
    return named or f"http://{reachable(settings)}:{port}"


def port_of(door: socket.socket) -> int:
    """Where it listens, also when the kernel has chosen."""
    return int(door.getsockname()[1])


def reachable(settings: Settings) -> str:
    """The host to name to others: where we listen everywhere, the name of this machine."""
    host = settings[declared.HOST]
    return socket.gethostname() if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound


@asynccontextmanager
async def served(app: web.Application, door: socket.socket) -> AsyncIterator[None]:
    """HTTP is served. On leaving, requests under way are finished first."""
    runner = web.AppRunner(
        app,
        handle_signals=False,
        access_log=None,
        auto_decompress=False,
        shutdown_timeout=DRAIN_SECONDS,
        logger=malformed.log,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, door, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()
