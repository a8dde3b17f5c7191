"""The whole control plane in one process: opens everything in order, and closes it in the reverse one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pluggy

from adapters.amqtt import EmbeddedBroker
from adapters.system.lock import sole_tenant
from core.errors import Unavailable
from core.mqtt import Endpoint
from core.services import Services
from core.settings import Settings
from entrypoints.http.mqtt_websocket import MqttWebSocket
from entrypoints.wiring import settings as declared
from entrypoints.wiring.composition import connect, migrations_of, plugins_of, scheduled, settings_of, tasks_of
from entrypoints.wiring.embedded import Embedded, embedded
from entrypoints.wiring.observing import Observing, observing
from entrypoints.wiring.running import Preparation, Standalone, nothing
from entrypoints.wiring.web import (
    application_of,
    door_of,
    live_of,
    port_of,
    probes_of,
    reachable,
    routes_of,
    served,
    url_of,
)

OWNER_ONLY_FOLDER = 0o700


@asynccontextmanager
async def control_plane(
    data: Path, environment: Mapping[str, str], *, prepare: Preparation = nothing, installed: bool = True
) -> AsyncIterator[Standalone]:
    """The whole control plane in this process, on the files in `data`. Raises a Refusal when it cannot start.

    `prepare` is awaited when all is up but HTTP, so that nobody finds us ready before it is done. `installed` tells
    whether plugins that are installed beside us take part.
    """
    plugins = plugins_of(environment, installed=installed)
    settings = settings_of(plugins, environment)
    _make_private(data)
    async with AsyncExitStack() as stack:
        tenure = stack.enter_context(sole_tenant(data))
        watched = await stack.enter_async_context(observing(environment, "up"))
        inside = await stack.enter_async_context(embedded(data, settings, migrations_of(plugins), watched=watched))
        services = inside.services
        connect(services, plugins, watched)
        await services.liveness.open()
        await stack.enter_async_context(_reconciling(inside, plugins, watched))
        mqtt_url = await stack.enter_async_context(_broker(inside.broker, services, settings))
        live = live_of(services)
        sockets = (*MqttWebSocket(inside.broker).routes(), *live.routes())
        probes = probes_of(services, plugins, watched)
        routes = routes_of(services, plugins, probes, sockets)
        door = stack.enter_context(door_of(settings))
        url = url_of(settings, port_of(door))
        services.sealed_enrolments.reachable_at(url)
        running = Standalone(services=services, plugins=plugins, routes=routes, data=data, url=url, mqtt_url=mqtt_url)
        await prepare(running)
        await stack.enter_async_context(served(application_of(services, routes, watched), door))
        # Who only watches is sent away first: nobody waits for them to leave by themselves.
        stack.callback(live.close)
        tenure.tell({"host": settings[declared.HOST], "port": port_of(door), "mqttPort": inside.broker.port})
        yield running


def _make_private(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    except OSError as error:
        raise Unavailable(f"the data folder {data} cannot be made: {error.strerror}") from error


@asynccontextmanager
async def _reconciling(inside: Embedded, plugins: pluggy.PluginManager, watched: Observing) -> AsyncIterator[None]:
    """Periodic tasks run; what was announced last is still told."""
    services = inside.services
    async with scheduled(tasks_of(services, plugins, inside.tasks), services, watched.runs):
        yield
    await services.outbox.relay()


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
        ours = Endpoint(f"mqtt://{reachable(settings)}:{broker.port}")
        services.mqtt_endpoints.reachable_at(ours, override=Endpoint(named) if named else None)
        yield named or ours.url
    finally:
        await broker.stop()
