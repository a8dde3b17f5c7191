"""Who answers our questions: our own parts first, then the packages that were installed beside us."""

import logging
from collections.abc import Iterable
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import pluggy

from core import hookspecs as core_hookspecs
from core.errors import Unavailable
from entrypoints.cli import hookspecs as cli_hookspecs
from entrypoints.http import hookspecs as http_hookspecs

log = logging.getLogger(__name__)

GROUP = "iotistic"


def plugin_manager(ours: Iterable[ModuleType], *, installed: bool = True, trace: bool = False) -> pluggy.PluginManager:
    """Everyone who answers. Unavailable, by name, for a plugin that cannot be loaded or answers unknown questions."""
    manager = pluggy.PluginManager(GROUP)
    for specs in (core_hookspecs, http_hookspecs, cli_hookspecs):
        manager.add_hookspecs(specs)
    for module in ours:
        manager.register(module, name=module.__name__.rpartition(".")[2])
    if installed:
        _load_installed(manager)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise Unavailable(
            f"the plugin {manager.get_name(error.plugin)} answers a question nobody asks: {error}"
        ) from error
    if trace:
        manager.trace.root.setwriter(lambda message: log.info("hook %s", message.strip()))
        manager.enable_tracing()
    return manager


def _load_installed(manager: pluggy.PluginManager) -> None:
    for entry in entry_points(group=GROUP):
        try:
            manager.register(entry.load(), name=entry.name)
        except Exception as error:
            raise Unavailable(f"the plugin {entry.name} cannot be loaded: {error}") from error


def answers(question: Any, **given: object) -> list[Any]:
    """What everyone answers to a hook that is answered with lists, ours first."""
    return [value for answer in reversed(question(**given)) for value in answer]
