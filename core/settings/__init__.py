"""Settings: what is read from the environment at start, and what people change while we run."""

from core.settings.model import AnySetting, Setting, boolean, integer, list_of_text, seconds, size, text
from core.settings.ports import StoredSettings
from core.settings.service import Settings

__all__ = [
    "AnySetting",
    "Setting",
    "Settings",
    "StoredSettings",
    "boolean",
    "integer",
    "list_of_text",
    "seconds",
    "size",
    "text",
]
