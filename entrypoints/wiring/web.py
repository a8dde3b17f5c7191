"""HTTP: what is served, and the socket on which it is."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import pluggy
from aiohttp import web

from core.errors import Unavailable
from core.services import Services
from core.settings import Settings
from entrypoints.http import malformed
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.app import application
from entrypoints.http.authentication import Authentication
from entrypoints.http.cors import Cors
from entrypoints.http.crowd import Crowd
from entrypoints.http.health import VERSION, HealthRoutes
from entrypoints.http.live import Live
from entrypoints.http.openapi_docs import OpenApiRoutes
from entrypoints.http.routing import Route
from entrypoints.observing.inside import describe_services
from entrypoints.observing.standing import StandingMetrics
from entrypoints.wiring import cluster
from entrypoints.wiring import settings as declared
from entrypoints.wiring.observing import Observing
from entrypoints.wiring.plugins import answers

Reader = Callable[[], Awaitable[object]]

DRAIN_SECONDS = 3.0
BACKLOG = 1024


def routes_of(
    services: Services, plugins: pluggy.PluginManager, probes: Sequence[Route], more: Sequence[Route]
) -> Sequence[Route]:
    """What is served: probes, `more` (sockets), what the hook `routes` was answered, and the document of it all."""
    documented = OpenApiRoutes(VERSION)
    theirs = answers(plugins.hook.routes, services=services)
    routes = (*probes, *more, *theirs, *documented.routes())
    documented.describe(routes)
    return routes


def probes_of(
    services: Services, plugins: pluggy.PluginManager, watched: Observing, more: Sequence[Reader] = ()
) -> Sequence[Route]:
    """Whether the process is alive and ready, and its numbers. `more` is awaited before each look at them as well."""
    standing = StandingMetrics(services, watched.registry)
    describe_services(watched.registry, services)

    async def read() -> None:
        await asyncio.gather(standing.read(), *(each() for each in more))

    health = HealthRoutes(
        clock=services.clock,
        pings=answers(plugins.hook.pings, services=services),
        registry=watched.registry,
        metrics_token=services.settings[declared.METRICS_TOKEN],
        before_metrics=read,
    )
    return health.routes()


def live_of(services: Services) -> Live:
    """Who watches is told what is new."""
    settings = services.settings
    named = [settings[declared.CLOUD_API_ENDPOINT], *settings[declared.CORS_ORIGINS]]
    origins = frozenset(origin.rstrip("/") for origin in named if origin)
    return Live(services, proxies=TrustedProxies(settings[declared.TRUSTED_PROXIES]), origins=origins)


def application_of(services: Services, routes: Sequence[Route], watched: Observing) -> web.Application:
    """The routes, behind those who ask who calls, count, and see to it that errors read alike."""
    settings = services.settings
    return application(
        routes,
        Authentication(services, TrustedProxies(settings[declared.TRUSTED_PROXIES])),
        watched.http,
        Cors(settings[declared.CORS_ORIGINS]),
        services.traffic,
        crowd=Crowd(settings[declared.MOST_REQUESTS]),
        traces=watched.traces,
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


@asynccontextmanager
async def numbers_served(services: Services, probes: Sequence[Route], watched: Observing) -> AsyncIterator[int]:
    """The probes alone, on a port of this process' own; the port, or 0 when none is wanted."""
    door = metrics_door_of(services.settings, watched.worker)
    if door is None:
        yield 0
        return
    with door:
        async with served(application_of(services, probes, watched), door):
            yield port_of(door)


def metrics_door_of(settings: Settings, worker: int) -> socket.socket | None:
    """METRICS_PORT, of which the second of several workers has the next one, and so on; None when it is 0."""
    host, first = settings[declared.HOST], settings[cluster.METRICS_PORT]
    if not first:
        return None
    port = first + max(worker - 1, 0)
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Unavailable(f"METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}") from error


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
