"""The processes of the scaled profile: each opens what it needs, in order, and closes it in the reverse one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import pluggy
from attrs import frozen

from adapters.dramatiq.queue import DramatiqQueue, broker_of
from adapters.sql.mqtt_seats import SqlMqttSeats
from core.devices import DEVICES
from core.errors import Invalid
from core.mqtt import MQTT_ACCOUNTS
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import Settings
from entrypoints.http.routing import Route
from entrypoints.mqtt.listen import Listener, listener_of
from entrypoints.observing.inside import QueueLength, describe_worker
from entrypoints.observing.listening import describe_listener
from entrypoints.wiring import cluster
from entrypoints.wiring import settings as declared
from entrypoints.wiring.composition import connect, migrations_of, plugins_of, scheduled, settings_of, tasks_of
from entrypoints.wiring.observing import Observing, observing
from entrypoints.wiring.partitions import partition_tasks
from entrypoints.wiring.reconcilers import ALONE, OUTBOX
from entrypoints.wiring.running import Running
from entrypoints.wiring.scaled import Scaled, scaled
from entrypoints.wiring.web import (
    application_of,
    door_of,
    live_of,
    numbers_served,
    port_of,
    probes_of,
    routes_of,
    served,
    url_of,
)
from entrypoints.worker.dispatcher import Dispatcher
from entrypoints.worker.leadership import Leadership
from entrypoints.worker.scheduler import Scheduler

FIRST_START = "first-start"
ACCOUNTS_EVERY = timedelta(minutes=1)
DEAFNESS_EVERY = timedelta(seconds=5)
DISPATCH_EVERY = timedelta(seconds=1)
Prepare = Callable[[Running, Scaled], Awaitable[None]]


async def nothing(_running: Running, _inside: Scaled) -> None:
    """Nothing is to be done before we serve."""


@frozen(kw_only=True)
class _Composed:
    """A process that is put together, before it does anything."""

    plugins: pluggy.PluginManager
    settings: Settings
    watched: Observing
    inside: Scaled


@asynccontextmanager
async def _composed(environment: Mapping[str, str], role: str, *, installed: bool) -> AsyncIterator[_Composed]:
    plugins = plugins_of(environment, installed=installed)
    settings = settings_of(plugins, environment)
    async with (
        observing(environment, role) as watched,
        scaled(settings, migrations_of(plugins), watched) as inside,
    ):
        connect(inside.services, plugins, watched)
        yield _Composed(plugins=plugins, settings=settings, watched=watched, inside=inside)


@asynccontextmanager
async def prepared(
    environment: Mapping[str, str], *, prepare: Prepare = nothing, installed: bool = True
) -> AsyncIterator[Running]:
    """The tables are up to date, and `prepare` has been awaited; nobody is served."""
    async with _composed(environment, "serve", installed=installed) as process:
        running = _running(process, process.settings[declared.PORT])
        await prepare(running, process.inside)
        yield running


@asynccontextmanager
async def http_process(
    environment: Mapping[str, str], *, prepare: Prepare = nothing, installed: bool = True, shared: bool = False
) -> AsyncIterator[Running]:
    """HTTP on PostgreSQL, in this process. `shared`: others listen on the same port."""
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(_composed(environment, "serve", installed=installed))
        services, watched = process.inside.services, process.watched
        await stack.enter_async_context(_looking_after(process))
        live = live_of(services)
        probes = probes_of(services, process.plugins, watched)
        routes = routes_of(services, process.plugins, probes, live.routes())
        door = stack.enter_context(door_of(process.settings, shared=shared))
        running = _running(process, port_of(door), routes)
        services.sealed_enrolments.reachable_at(running.url)
        await prepare(running, process.inside)
        await stack.enter_async_context(numbers_served(services, probes, watched))
        await stack.enter_async_context(served(application_of(services, routes, watched), door))
        # Who only watches is sent away first: nobody waits for them to leave by themselves.
        stack.callback(live.close)
        yield running


def _running(process: _Composed, port: int, routes: Sequence[Route] = ()) -> Running:
    return Running(
        services=process.inside.services,
        plugins=process.plugins,
        routes=routes,
        url=url_of(process.settings, port),
        mqtt_url=process.inside.mqtt_url,
    )


@asynccontextmanager
async def _looking_after(process: _Composed) -> AsyncIterator[None]:
    """What a process looks after that is not the leader: only what it holds itself."""
    services = process.inside.services
    own = [task for task in tasks_of(services, process.plugins) if task.everywhere]
    async with scheduled(own, services, process.watched.runs):
        yield


@asynccontextmanager
async def listener_process(environment: Mapping[str, str], *, installed: bool = True) -> AsyncIterator[Listener]:
    """Messages of devices from the broker."""
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(_composed(environment, "listen", installed=installed))
        inside, watched = process.inside, process.watched
        await stack.enter_async_context(_looking_after(process))
        listener = listener_of(
            inside.services,
            locks=inside.locks,
            address=inside.broker.address,
            book=SqlMqttSeats(),
            share=process.settings[cluster.MQTT_SHARE_READINGS],
        )
        describe_listener(watched.registry, listener.statistics)
        probes = probes_of(inside.services, process.plugins, watched)
        await stack.enter_async_context(numbers_served(inside.services, probes, watched))
        listener.start()
        stack.push_async_callback(listener.stop)
        yield listener


@frozen(kw_only=True)
class Working:
    """A worker while it runs."""

    services: Services
    queue: DramatiqQueue
    dispatcher: Dispatcher
    leadership: Leadership


@asynccontextmanager
async def worker_process(
    environment: Mapping[str, str], *, concurrency: int = 8, installed: bool = True
) -> AsyncIterator[Working]:
    """Reactions, and what is done again and again. One of the workers is the leader."""
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(_composed(environment, "work", installed=installed))
        services = process.inside.services
        queue = DramatiqQueue(broker_of(_queue_url(process.settings)))
        stack.push_async_callback(queue.stop)
        await stack.enter_async_context(_looking_after(process))
        dispatcher = Dispatcher(outbox=services.outbox, queue=queue, clock=services.clock, signals=services.signals)
        scheduler = Scheduler(_tasks_of_the_leader(process, dispatcher), services.signals, process.watched.runs)
        leadership = Leadership(process.inside.locks, partial(_term, process.inside, scheduler))
        leadership.start()
        stack.push_async_callback(leadership.stop)
        await stack.enter_async_context(_watched_worker(process, queue, dispatcher, leadership))
        queue.work(process.watched.delivery(services.outbox.deliver), concurrency=concurrency)
        stack.callback(services.outbox.finish)
        yield Working(services=services, queue=queue, dispatcher=dispatcher, leadership=leadership)


@asynccontextmanager
async def _watched_worker(
    process: _Composed, queue: DramatiqQueue, dispatcher: Dispatcher, leadership: Leadership
) -> AsyncIterator[None]:
    """A worker's probes and numbers, on METRICS_PORT."""
    services, watched = process.inside.services, process.watched
    describe_worker(watched.registry, leading=leadership, queue=queue, delivering=dispatcher)
    length = QueueLength(watched.registry, queue.waiting)
    async with numbers_served(services, probes_of(services, process.plugins, watched, [length.read]), watched):
        yield


def _tasks_of_the_leader(process: _Composed, dispatcher: Dispatcher) -> Sequence[PeriodicTask]:
    services = process.inside.services
    own = [
        PeriodicTask(name="outbox.dispatch", every=DISPATCH_EVERY, run=dispatcher.dispatch, wakened_by=(OUTBOX,)),
        PeriodicTask(
            name="devices.silence",
            every=services.settings[declared.HEARTBEAT_INTERVAL],
            run=process.inside.silence.notice,
        ),
        *partition_tasks(services.settings, services.clock, process.watched.registry),
        *_broker_tasks(process.inside),
    ]
    return [task for task in tasks_of(services, process.plugins, own) if not task.everywhere and task.name not in ALONE]


def _broker_tasks(inside: Scaled) -> Sequence[PeriodicTask]:
    """Where the broker keeps accounts, they are made to agree with ours; where it asks us, devices may be deaf."""
    if inside.dynamic_accounts is None:
        return (PeriodicTask(name="mqtt.deafness", every=DEAFNESS_EVERY, run=inside.services.hearing.notice),)
    run, woken = inside.dynamic_accounts.reconcile, (MQTT_ACCOUNTS, DEVICES)
    return (PeriodicTask(name="mqtt.accounts", every=ACCOUNTS_EVERY, run=run, wakened_by=woken),)


@asynccontextmanager
async def _term(inside: Scaled, scheduler: Scheduler) -> AsyncIterator[None]:
    """What the leader does as long as it leads."""
    inside.silence.begin()
    scheduler.start()
    try:
        yield
    finally:
        await scheduler.stop()


def _queue_url(settings: Settings) -> str:
    url = settings[cluster.QUEUE_URL] or settings[cluster.REDIS_URL]
    if not url:
        raise Invalid(
            "REDIS_URL is not set: where is the queue? Such as redis://127.0.0.1:6379/0, or QUEUE_URL for RabbitMQ",
            field="REDIS_URL",
        )
    return url
