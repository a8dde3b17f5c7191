"""`iotistic plugins` and `iotistic settings`: what this installation is made of."""

import os

import pluggy
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.errors import Refusal
from core.settings import AnySetting
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager


def plugins() -> None:
    """Show who answers which question of the application."""
    from entrypoints.cli import commands

    manager = plugin_manager([features, commands])
    table = Table("question", "answered by", "asks")
    for name in sorted(vars(manager.hook)):
        hook = getattr(manager.hook, name)
        if isinstance(hook, pluggy.HookCaller) and hook.spec is not None:
            answering = ", ".join(implementation.plugin_name for implementation in reversed(hook.get_hookimpls()))
            asks = (hook.spec.function.__doc__ or "").strip().splitlines()[0]
            table.add_row(name, answering or "-", asks)
    Console().print(table)


def settings() -> None:
    """Show every setting that is read from the environment, with its value here."""
    manager = plugin_manager([features])
    table = Table("setting", "value", "what it is for")
    for setting in answers(manager.hook.settings):
        table.add_row(setting.name, _shown(setting), setting.summary)
    Console().print(table)


def _shown(setting: AnySetting) -> str:
    given = os.environ.get(setting.name)
    if setting.secret:
        return "(set)" if given else "(not set)"
    if not given:
        return f"[dim]{setting.default!s}[/]"
    try:
        return str(setting.parsed(given))
    except Refusal as refusal:
        return f"[bold red]{escape(refusal.message)}[/]"
