"""Secrets have no place where others read: events go into the audit log, settings into `iotistic settings`."""

import importlib
import pkgutil
import re

from attrs import fields

import core
from core.events import EVENTS
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager
from tests.architecture.source import listed

SECRET = re.compile(r"(?:^|_)(?:api_key|digest|hash|key|password|private|secret|token)$", re.IGNORECASE)


def test_no_event_carries_a_secret() -> None:
    for module in pkgutil.walk_packages(core.__path__, "core."):
        importlib.import_module(module.name)
    # Tests announce events of their own, some with secrets on purpose.
    ours = {name: kind for name, kind in EVENTS.items() if not kind.__module__.startswith("tests.")}
    offenders = [
        f"{name}: {field.name}" for name, kind in ours.items() for field in fields(kind) if SECRET.search(field.name)
    ]
    assert ours
    assert not offenders, listed(offenders)


def test_settings_that_sound_like_secrets_are_never_shown() -> None:
    settings = answers(plugin_manager([features], installed=False).hook.settings)
    offenders = [setting.name for setting in settings if SECRET.search(setting.name) and not setting.secret]
    assert settings
    assert not offenders, listed(offenders)
