"""Settings by value, once they have been read."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from core.errors import Invalid
from core.settings.model import AnySetting, Setting

T = TypeVar("T")


class Settings:
    """The settings of this process. `settings[OFFLINE_AFTER]` has the type of the setting."""

    def __init__(self, declared: Iterable[AnySetting], environment: Mapping[str, str]) -> None:
        """Read every declared setting. Raises Invalid with all that are wrong, each with its reason."""
        self._values: dict[str, Any] = {}
        self.declared: dict[str, AnySetting] = {}
        wrong: dict[str, str] = {}
        for setting in declared:
            if self.declared.setdefault(setting.name, setting) is not setting:
                wrong[setting.name] = f"{setting.name} is declared twice"
            try:
                self._values[setting.name] = _value_of(setting, environment)
            except Invalid as refusal:
                wrong[setting.name] = refusal.message
        if wrong:
            raise Invalid("; ".join(wrong.values()), fields=wrong)

    def __getitem__(self, setting: Setting[T]) -> T:
        return cast("T", self._values[setting.name])


def _value_of(setting: AnySetting, environment: Mapping[str, str]) -> Any:
    given = environment.get(setting.name)
    return setting.default if given is None or not given.strip() else setting.parsed(given)
