"""A group of devices: a question with a name, made of known words only."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from attrs.converters import optional

from core.checks import PlainText, plain_text
from core.devices import DeviceQuery, DeviceStatus, ProvisioningState
from core.errors import Invalid
from core.ids import GroupId
from core.tags import tags_of

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 1000
LONGEST_TEXT = 255

W = TypeVar("W", bound=Enum)


@frozen(kw_only=True)
class DeviceSelector:
    """Which devices are meant: those that answer to all of what is given. `search` is that of lists of devices."""

    tags: Mapping[str, str] = field(factory=dict)
    type: str | None = None
    fleet_id: str | None = None
    status: DeviceStatus | None = None
    provisioning: ProvisioningState | None = None
    online: bool | None = None
    search: str | None = None

    @classmethod
    def of(cls, document: object, field: str = "query") -> "DeviceSelector":
        """The selector that a document describes. Raises Invalid for every word that is not known.

        The words are `tags` (an object of keys and values), `type`, `fleetId`, `status`, `provisioningState`,
        `online` and `search`. null is the same as absent. At least one must be there: a question without conditions
        would be answered by all devices, which nobody means who forgot to ask.
        """
        if not isinstance(document, Mapping):
            raise Invalid(f"{field} must be an object", field=field)
        unknown = sorted(str(name)[:LONGEST_NAME] for name in document if name not in _WORDS)
        if unknown:
            raise Invalid(
                f"{field} knows only {', '.join(_WORDS)}",
                fields={f"{field}.{name}": "is not known" for name in unknown},
            )
        given = {name: value for name, value in document.items() if value not in (None, {}, "")}
        if not given:
            raise Invalid(f"{field} must name at least one of {', '.join(_WORDS)}", field=field)
        read: dict[str, Any] = {}
        for name, value in given.items():
            attribute, reader = _WORDS[name]
            read[attribute] = reader(value, f"{field}.{name}")
        return cls(**read)

    def document(self) -> dict[str, Any]:
        """The selector as a document, to be kept and shown."""
        values = {name: getattr(self, attribute) for name, (attribute, _) in _WORDS.items()}
        plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
        return {name: value for name, value in plain.items() if value not in (None, {})}

    def within(self, query: DeviceQuery) -> DeviceQuery:
        """The question in full; of `query` only the order and the page are kept."""
        return evolve(
            query,
            tags=tuple(self.tags.items()),
            type=self.type,
            fleet_id=self.fleet_id,
            status=self.status,
            provisioning=self.provisioning,
            online=self.online,
            search=self.search,
        )


def _tags(value: object, name: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{name} must be an object of keys and values", field=name)
    return tags_of(value, name)


def _text(value: object, name: str) -> str:
    return plain_text(value, name, longest=LONGEST_TEXT)


def _boolean(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false", field=name)
    return value


def _word(kind: type[W]) -> Callable[[object, str], W]:
    known = {word.value: word for word in kind}

    def read(value: object, name: str) -> W:
        if not isinstance(value, str) or value not in known:
            raise Invalid(f"{name} must be one of {', '.join(known)}", field=name)
        return known[value]

    return read


# The words of a document, each with the attribute it fills and how it is read. Nothing else ever reaches a query.
_WORDS: dict[str, tuple[str, Callable[[object, str], object]]] = {
    "tags": ("tags", _tags),
    "type": ("type", _text),
    "fleetId": ("fleet_id", _text),
    "status": ("status", _word(DeviceStatus)),
    "provisioningState": ("provisioning", _word(ProvisioningState)),
    "online": ("online", _boolean),
    "search": ("search", _text),
}


def _trimmed(text: str) -> str:
    return text.strip()


@frozen(kw_only=True)
class NewGroup:
    """A group to be made."""

    name: str = field(converter=_trimmed, validator=PlainText(longest=LONGEST_NAME))
    selector: DeviceSelector
    description: str | None = field(
        default=None, validator=PlainText(longest=LONGEST_DESCRIPTION, shortest=0, optional=True)
    )


@frozen(kw_only=True)
class GroupEdit:
    """What people may change of a group. None leaves a value as it is."""

    name: str | None = field(
        default=None, converter=optional(_trimmed), validator=PlainText(longest=LONGEST_NAME, optional=True)
    )
    description: str | None = field(
        default=None, validator=PlainText(longest=LONGEST_DESCRIPTION, shortest=0, optional=True)
    )
    selector: DeviceSelector | None = None


@frozen(kw_only=True)
class Group:
    """A question for devices under a name of its own."""

    name: str
    selector: DeviceSelector
    created_at: datetime
    created_by: str
    updated_at: datetime
    id: GroupId = GroupId(0)
    description: str | None = None

    def edited(self, edit: GroupEdit, now: datetime) -> "Group":
        """The group after the edit. Raises Invalid when nothing is to be changed."""
        wanted = {"name": edit.name, "description": edit.description, "selector": edit.selector}
        changes: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        if not changes:
            raise Invalid("name at least one of name, description, query")
        return evolve(self, updated_at=now, **changes)
