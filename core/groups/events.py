"""What happens to groups."""

from typing import ClassVar

from attrs import frozen

from core.events import Event
from core.ids import GroupId


@frozen(kw_only=True)
class GroupEvent(Event):
    """Something happened to a group of devices."""

    group_id: GroupId
    name: str


@frozen(kw_only=True)
class GroupCreated(GroupEvent):
    """A question for devices was saved under a name."""

    NAME: ClassVar[str] = "group.created"


@frozen(kw_only=True)
class GroupEdited(GroupEvent):
    """A group has another name, another description or other members."""

    NAME: ClassVar[str] = "group.edited"


@frozen(kw_only=True)
class GroupRemoved(GroupEvent):
    """A group is gone; its devices are not."""

    NAME: ClassVar[str] = "group.removed"
