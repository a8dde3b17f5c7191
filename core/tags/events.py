"""What happens to tags."""

from typing import ClassVar

from attrs import frozen

from core.devices import DeviceEvent
from core.events import Event


@frozen(kw_only=True)
class DeviceTagged(DeviceEvent):
    """A device's tags changed: `put` as `key=value` are new or have another value, `removed` names keys."""

    NAME: ClassVar[str] = "device.tagged"
    put: tuple[str, ...]
    removed: tuple[str, ...]


@frozen(kw_only=True)
class TagDefinitionEvent(Event):
    """Something happened to the definition of a tag; `tag` is its key."""

    tag: str


@frozen(kw_only=True)
class TagDefinitionCreated(TagDefinitionEvent):
    """It is said now what may be written under a key."""

    NAME: ClassVar[str] = "tag_definition.created"


@frozen(kw_only=True)
class TagDefinitionEdited(TagDefinitionEvent):
    """Something else may be written under a key from now on."""

    NAME: ClassVar[str] = "tag_definition.edited"


@frozen(kw_only=True)
class TagDefinitionRemoved(TagDefinitionEvent):
    """Nothing is said any more of what may be written under a key."""

    NAME: ClassVar[str] = "tag_definition.removed"
