"""What others rely on, as lists: a review of a change of contract begins with their differences."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import Attribute, fields

import core
import iotistic
from core.access import Permissions
from core.events import EVENTS
from core.settings import AnySetting
from entrypoints.cli import commands
from entrypoints.http.app import path_of
from entrypoints.wiring import features
from entrypoints.wiring.lifespan import control_plane
from entrypoints.wiring.plugins import answers, plugin_manager

FOLDER = Path(__file__).parent


def _table(rows: Iterable[Iterable[str]]) -> str:
    """Columns that line up."""
    cells = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines) + "\n"


async def routes() -> str:
    """Everything that is served."""
    with TemporaryDirectory() as folder:
        async with control_plane(Path(folder), {"PORT": "0", "MQTT_PORT": "0"}, installed=False) as running:
            rows = [(path_of(route), route.method, str(route.allow), route.summary) for route in running.routes]
    return _table((method, path, allow, summary) for path, method, allow, summary in sorted(rows))


async def hooks() -> str:
    """The questions that plugins are asked."""
    manager = plugin_manager([features, commands], installed=False)
    specs = [getattr(manager.hook, name).spec for name in sorted(vars(manager.hook)) if not name.startswith("_")]
    return "".join(f"{spec.name}{_short(str(inspect.signature(spec.function)))}\n" for spec in specs)


async def permissions() -> str:
    """Who may do what."""
    held = Permissions()
    held.grant(answers(plugin_manager([features], installed=False).hook.permissions))
    return _table((grant.permission, grant.lowest.word, grant.summary) for grant in sorted(held.grants, key=_name))


def _name(grant: iotistic.PermissionGrant) -> str:
    return grant.permission


async def settings() -> str:
    """What is read from the environment."""
    declared = answers(plugin_manager([features], installed=False).hook.settings)
    return _table((each.name, _default(each), each.summary) for each in sorted(declared, key=lambda each: each.name))


def _default(setting: AnySetting) -> str:
    return "(secret)" if setting.secret else repr(str(setting.default))


async def events() -> str:
    """What happened, as plugins and the audit log hear of it."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        importlib.import_module(module.name)
    ours = {name: kind for name, kind in sorted(EVENTS.items()) if kind.__module__.startswith("core.")}
    return _table((name, kind.SEVERITY, ", ".join(map(_field, fields(kind)))) for name, kind in ours.items())


def _field(field: "Attribute[object]") -> str:
    return f"{field.name}: {field.type.__name__ if type(field.type) is type else _short(str(field.type))}"


def _short(words: str) -> str:
    """Types by their own names: where they live is ours to change."""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", words)


async def public_api() -> str:
    """What `iotistic.py` lets out."""
    return "".join(f"{name}{_signature(getattr(iotistic, name))}\n" for name in sorted(iotistic.__all__))


def _signature(value: object) -> str:
    """Of functions and values their signature: whoever calls them relies on it."""
    if inspect.isfunction(value) or (inspect.isclass(value) and hasattr(value, "__attrs_attrs__")):
        return _short(str(inspect.signature(value)))
    return ""


LISTS: dict[str, Callable[[], Awaitable[str]]] = {
    "routes.txt": routes,
    "hooks.txt": hooks,
    "permissions.txt": permissions,
    "settings.txt": settings,
    "events.txt": events,
    "public_api.txt": public_api,
}
