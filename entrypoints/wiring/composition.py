"""What is the same in every process: the questions to plugins, and the parts that hang on their answers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pluggy

from core.migrations import MigrationFolder
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import Settings
from entrypoints.mqtt.listener import handlers_of
from entrypoints.observing.tasks import TaskRuns
from entrypoints.wiring import features
from entrypoints.wiring import settings as declared
from entrypoints.wiring.observing import Observing
from entrypoints.wiring.plugins import answers, plugin_manager
from entrypoints.worker.scheduler import Scheduler


def plugins_of(environment: Mapping[str, str], *, installed: bool = True) -> pluggy.PluginManager:
    """Who answers our questions: our own parts, and plugins that are `installed` beside us if they are to take part."""
    traced = Settings([declared.TRACE_HOOKS], environment)[declared.TRACE_HOOKS]
    return plugin_manager([features], installed=installed, trace=traced)


def settings_of(plugins: pluggy.PluginManager, environment: Mapping[str, str]) -> Settings:
    """All settings. Raises Invalid that names every bad value."""
    return Settings(answers(plugins.hook.settings), environment)


def migrations_of(plugins: pluggy.PluginManager) -> Sequence[MigrationFolder]:
    """All tables, ours before those of plugins."""
    return answers(plugins.hook.migrations)


def connect(services: Services, plugins: pluggy.PluginManager, watched: Observing) -> None:
    """Hand out what the hooks answered. Each is asked once. What others call is watched."""
    services.permissions.grant(answers(plugins.hook.permissions))
    services.outbox.subscribe(
        [watched.subscription(each) for each in answers(plugins.hook.subscribe, services=services)]
    )
    issuers = answers(plugins.hook.issuers, services=services)
    services.enrolments.issue_with(issuers, by_v2=[services.v2_topics])
    handlers = handlers_of(services)
    services.device_messages.handle_with({kind: watched.handler(kind, handle) for kind, handle in handlers.items()})


def tasks_of(
    services: Services, plugins: pluggy.PluginManager, more: Sequence[PeriodicTask] = ()
) -> Sequence[PeriodicTask]:
    """What is done again and again."""
    return [*more, *answers(plugins.hook.periodic, services=services)]


@asynccontextmanager
async def scheduled(tasks: Sequence[PeriodicTask], services: Services, runs: TaskRuns) -> AsyncIterator[None]:
    """The tasks run, and what this process holds is written down at the end."""
    scheduler = Scheduler(tasks, services.signals, runs)
    scheduler.start()
    try:
        yield
    finally:
        await scheduler.stop()
        await services.liveness.settle()
        await services.traffic.flush()
        await services.topic_archive.save()
