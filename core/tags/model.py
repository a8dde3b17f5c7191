"""Tags, their definitions, and the decisions about them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from core.checks import PlainText, plain_text
from core.devices import Device
from core.errors import Conflict, Invalid

MOST_TAGS = 50
MOST_DEVICES_AT_ONCE = 1000
MOST_ALLOWED_VALUES = 200
LONGEST_KEY = 64
LONGEST_VALUE = 255
LONGEST_DESCRIPTION = 1000
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


def tag_key(value: object, field: str = "key") -> str:
    """A key: a lower-case slug such as `site` or `cost-centre`. Raises Invalid."""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise Invalid(
            f"{field} must be 1 to {LONGEST_KEY} of the characters a-z 0-9 . _ - and begin and end with a-z or 0-9",
            field=field,
        )
    return value


def tag_value(value: object, field: str = "value") -> str:
    """A value: printable, trimmed, not empty. Raises Invalid."""
    return plain_text(value, field, longest=LONGEST_VALUE)


def tags_of(document: Mapping[str, object], field: str = "tags") -> dict[str, str]:
    """The tags of a document, checked one by one. Raises Invalid."""
    if len(document) > MOST_TAGS:
        raise Invalid(f"{field} must not be more than {MOST_TAGS}", field=field)
    return {tag_key(key, field): tag_value(value, f"{field}.{key}") for key, value in document.items()}


def selectors_of(texts: Sequence[str], field: str = "tag") -> tuple[tuple[str, str], ...]:
    """What to select by, each written as `key:value`. Raises Invalid."""
    if len(texts) > MOST_TAGS:
        raise Invalid(f"{field} may be given at most {MOST_TAGS} times", field=field)
    pairs = [text.partition(":") for text in texts]
    if not all(colon for _, colon, _ in pairs):
        raise Invalid(f"{field} must look like key:value", field=field)
    return tuple((tag_key(key, field), tag_value(value, field)) for key, _, value in pairs)


def _allowed_values(values: Iterable[object]) -> tuple[str, ...]:
    allowed = tuple(dict.fromkeys(tag_value(value, "allowedValues") for value in values))
    if len(allowed) > MOST_ALLOWED_VALUES:
        raise Invalid(f"allowedValues must not be more than {MOST_ALLOWED_VALUES}", field="allowedValues")
    return allowed


@frozen(kw_only=True)
class NewTagDefinition:
    """A definition to be made. No allowed values means any."""

    key: str = field(converter=tag_key)
    description: str | None = field(
        default=None, validator=PlainText(longest=LONGEST_DESCRIPTION, shortest=0, optional=True)
    )
    allowed_values: tuple[str, ...] = field(default=(), converter=_allowed_values)
    is_required: bool = False


@frozen(kw_only=True)
class TagDefinitionEdit:
    """What people may change of a definition. None leaves a value as it is."""

    description: str | None = field(
        default=None, validator=PlainText(longest=LONGEST_DESCRIPTION, shortest=0, optional=True)
    )
    allowed_values: Sequence[object] | None = None
    is_required: bool | None = None


@frozen(kw_only=True)
class TagDefinition:
    """What may be written under a key, and whether a device may be without it.

    It is asked whenever tags are written; what was written before stays as it is.
    """

    key: str
    created_at: datetime
    created_by: str
    updated_at: datetime
    id: int = 0
    description: str | None = None
    allowed_values: tuple[str, ...] = ()
    is_required: bool = False

    def edited(self, edit: TagDefinitionEdit, now: datetime) -> "TagDefinition":
        """The definition after the edit. Raises Invalid when nothing is to be changed."""
        wanted: dict[str, Any] = {
            "description": edit.description,
            "allowed_values": None if edit.allowed_values is None else _allowed_values(edit.allowed_values),
            "is_required": edit.is_required,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        if not changes:
            raise Invalid("name at least one of description, allowedValues, isRequired")
        return evolve(self, updated_at=now, **changes)

    def admits(self, value: str) -> bool:
        """Whether the value may be written."""
        return not self.allowed_values or value in self.allowed_values


@frozen(kw_only=True)
class Rules:
    """All definitions together, as they judge what is to be written."""

    by_key: Mapping[str, TagDefinition]

    def check(self, tags: Mapping[str, str]) -> None:
        """Make sure that every value may be written. Raises Invalid that names the keys."""
        wrong = {
            f"tags.{key}": f"{key} must be one of {', '.join(self.by_key[key].allowed_values)}"
            for key, value in tags.items()
            if key in self.by_key and not self.by_key[key].admits(value)
        }
        if wrong:
            raise Invalid("; ".join(wrong.values()), fields=wrong)

    def check_removal(self, key: str) -> None:
        """Make sure that a device may be without the tag. Raises Conflict."""
        if key in self.by_key and self.by_key[key].is_required:
            raise Conflict(f"every device must have the tag {key}: give it another value instead")

    def check_whole(self, tags: Mapping[str, str]) -> None:
        """Make sure that these may be all the tags of a device. Raises Invalid that names what is missing."""
        self.check(tags)
        missing = sorted(key for key, each in self.by_key.items() if each.is_required and key not in tags)
        if missing:
            raise Invalid(
                f"every device must have the tags {', '.join(missing)}",
                fields={f"tags.{key}": "is required" for key in missing},
            )


def merged(before: Mapping[str, str], put: Mapping[str, str]) -> dict[str, str]:
    """The tags of a device with others put over them. Raises Invalid when that is too many."""
    after = {**before, **put}
    if len(after) > MOST_TAGS:
        raise Invalid(f"a device can have at most {MOST_TAGS} tags", field="tags")
    return after


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What has to be written, and which keys have to go."""
    put = {key: value for key, value in after.items() if before.get(key) != value}
    return put, tuple(sorted(before.keys() - after.keys()))


@frozen(kw_only=True)
class TaggedDevice:
    """A device with its tags."""

    device: Device
    tags: Mapping[str, str]


@frozen(kw_only=True)
class TagUse:
    """How many devices have the tag."""

    key: str
    devices: int
