"""Who answers our questions: our own parts first, then the packages that were installed beside us."""

import logging
import traceback
from collections.abc import Iterable
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import pluggy

from core import hookspecs as core_hookspecs
from core.errors import Refusal, Unavailable
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


def answers(question: pluggy.HookCaller, **given: object) -> list[Any]:
    """What everyone answers to a hook that is answered with lists, ours first. Unavailable, by name, if one raises."""
    try:
        return [value for answer in reversed(question(**given)) for value in answer]
    except Refusal:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise Unavailable(
            f"the plugin {_who_raised(question, error)} cannot answer {question.name}: {reason}"
        ) from error


def _who_raised(question: pluggy.HookCaller, error: Exception) -> str:
    """The plugin whose answer is on the way from us to the error."""
    passed = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    names = [
        each.plugin_name for each in question.get_hookimpls() if getattr(each.function, "__code__", None) in passed
    ]
    return names[0] if names else "of an unknown name"
