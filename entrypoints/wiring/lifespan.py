"""Opens everything in order, and closes it in the reverse one."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pluggy
from aiohttp import web
from attrs import frozen
from prometheus_client import CollectorRegistry

from adapters.amqtt import EmbeddedBroker
from adapters.system.lock import sole_tenant
from core.errors import Unavailable
from core.mqtt import Endpoint
from core.services import Services
from core.settings import Settings
from entrypoints.http import malformed
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.app import application
from entrypoints.http.authentication import Authentication
from entrypoints.http.cors import Cors
from entrypoints.http.health import VERSION, HealthRoutes
from entrypoints.http.live import Live
from entrypoints.http.mqtt_websocket import MqttWebSocket
from entrypoints.http.openapi_docs import OpenApiRoutes
from entrypoints.http.prometheus import HttpMetrics
from entrypoints.http.routing import Route
from entrypoints.http.standing import StandingMetrics
from entrypoints.mqtt.listener import handlers_of
from entrypoints.wiring import features
from entrypoints.wiring import settings as declared
from entrypoints.wiring.embedded import Embedded, embedded
from entrypoints.wiring.plugins import answers, plugin_manager
from entrypoints.worker.scheduler import Scheduler

DRAIN_SECONDS = 3.0
BACKLOG = 1024
OWNER_ONLY_FOLDER = 0o700


@frozen(kw_only=True)
class Running:
    """The control plane while it runs. The addresses are those that devices and people are told."""

    services: Services
    plugins: pluggy.PluginManager
    routes: Sequence[Route]
    data: Path
    url: str
    mqtt_url: str


Preparation = Callable[[Running], Awaitable[None]]


async def nothing(_running: Running) -> None:
    """Nothing is to be done before we serve."""


@asynccontextmanager
async def control_plane(
    data: Path, environment: Mapping[str, str], *, prepare: Preparation = nothing, installed: bool = True
) -> AsyncIterator[Running]:
    """The whole control plane in this process, on the files in `data`. Raises a Refusal when it cannot start.

    `prepare` is awaited when all is up but HTTP, so that nobody finds us ready before it is done. `installed` tells
    whether plugins that are installed beside us take part.
    """
    traced = Settings([declared.TRACE_HOOKS], environment)[declared.TRACE_HOOKS]
    plugins = plugin_manager([features], installed=installed, trace=traced)
    settings = Settings(answers(plugins.hook.settings), environment)
    _make_private(data)
    async with AsyncExitStack() as stack:
        tenure = stack.enter_context(sole_tenant(data))
        registry = CollectorRegistry()
        inside = await stack.enter_async_context(embedded(data, settings, answers(plugins.hook.migrations)))
        services = inside.services
        _connect(services, plugins)
        await services.liveness.open()
        await stack.enter_async_context(_reconciling(inside, plugins, registry))
        mqtt_url = await stack.enter_async_context(_broker(inside.broker, services, settings))
        live = _live(services)
        routes = _routes(services, plugins, registry, inside.broker, live)
        door = stack.enter_context(_door(settings))
        url = _url_of(door, settings)
        services.sealed_enrolments.reachable_at(url)
        running = Running(services=services, plugins=plugins, routes=routes, data=data, url=url, mqtt_url=mqtt_url)
        await prepare(running)
        await stack.enter_async_context(_http(_application(services, routes, registry), door))
        # Who only watches is sent away first: nobody waits for them to leave by themselves.
        stack.callback(live.close)
        tenure.tell({"host": settings[declared.HOST], "port": door.getsockname()[1], "mqttPort": inside.broker.port})
        yield running


def _make_private(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    except OSError as error:
        raise Unavailable(f"the data folder {data} cannot be made: {error.strerror}") from error


def _connect(services: Services, plugins: pluggy.PluginManager) -> None:
    """Hand out what the hooks answered. Each is asked once."""
    services.permissions.grant(answers(plugins.hook.permissions))
    services.outbox.subscribe(answers(plugins.hook.subscribe, services=services))
    issuers = answers(plugins.hook.issuers, services=services)
    services.enrolments.issue_with(issuers, by_v2=[services.v2_topics])
    services.device_messages.handle_with(handlers_of(services))


@asynccontextmanager
async def _reconciling(
    inside: Embedded, plugins: pluggy.PluginManager, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Periodic tasks run, and once more at the end for what was left."""
    services = inside.services
    tasks = [*inside.tasks, *answers(plugins.hook.periodic, services=services)]
    scheduler = Scheduler(tasks, services.signals, registry)
    scheduler.start()
    try:
        yield
    finally:
        await scheduler.stop()
        await services.liveness.settle()
        await services.outbox.relay()
        await services.traffic.flush()
        await services.topic_archive.save()


@asynccontextmanager
async def _broker(broker: EmbeddedBroker, services: Services, settings: Settings) -> AsyncIterator[str]:
    """The embedded broker listens; its address as devices are told it."""
    port = settings[declared.MQTT_PORT]
    try:
        await broker.start()
    except OSError as error:
        raise Unavailable(f"MQTT cannot listen on port {port}: {error.strerror}; try --mqtt-port") from error
    try:
        named = settings[declared.MQTT_BROKER_URL]
        ours = Endpoint(f"mqtt://{_reachable(settings)}:{broker.port}")
        services.mqtt_endpoints.reachable_at(ours, override=Endpoint(named) if named else None)
        yield named or ours.url
    finally:
        await broker.stop()


def _routes(
    services: Services, plugins: pluggy.PluginManager, registry: CollectorRegistry, broker: EmbeddedBroker, live: Live
) -> Sequence[Route]:
    """What is served: probes, sockets, what the hook `routes` was answered, and the document of it all."""
    health = HealthRoutes(
        clock=services.clock,
        pings=answers(plugins.hook.pings, services=services),
        registry=registry,
        metrics_token=services.settings[declared.METRICS_TOKEN],
        before_metrics=StandingMetrics(services, registry).read,
    )
    documented = OpenApiRoutes(VERSION)
    theirs = answers(plugins.hook.routes, services=services)
    routes = (*health.routes(), *MqttWebSocket(broker).routes(), *live.routes(), *theirs, *documented.routes())
    documented.describe(routes)
    return routes


def _live(services: Services) -> Live:
    settings = services.settings
    named = [settings[declared.CLOUD_API_ENDPOINT], *settings[declared.CORS_ORIGINS]]
    origins = frozenset(origin.rstrip("/") for origin in named if origin)
    return Live(services, proxies=TrustedProxies(settings[declared.TRUSTED_PROXIES]), origins=origins)


def _application(services: Services, routes: Sequence[Route], registry: CollectorRegistry) -> web.Application:
    settings = services.settings
    return application(
        routes,
        Authentication(services, TrustedProxies(settings[declared.TRUSTED_PROXIES])),
        HttpMetrics(registry),
        Cors(settings[declared.CORS_ORIGINS]),
        services.traffic,
    )


@contextmanager
def _door(settings: Settings) -> Iterator[socket.socket]:
    """The socket of HTTP. It is ours from now on, but nobody is served yet."""
    host, port = settings[declared.HOST], settings[declared.PORT]
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        door = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(f"HTTP cannot listen on {host}:{port}: {error.strerror}; try --port") from error
    with door:
        yield door


def _url_of(door: socket.socket, settings: Settings) -> str:
    named = settings[declared.CLOUD_API_ENDPOINT].rstrip("/")
    return named or f"http://{_reachable(settings)}:{door.getsockname()[1]}"


@asynccontextmanager
async def _http(app: web.Application, door: socket.socket) -> AsyncIterator[None]:
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


def _reachable(settings: Settings) -> str:
    """The host to name to others: where we listen everywhere, the name of this machine."""
    host = settings[declared.HOST]
    return socket.gethostname() if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound
