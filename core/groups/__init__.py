"""Groups: saved questions for devices. Who belongs to one is answered whenever it is asked."""

from core.groups.events import GroupCreated, GroupEdited, GroupRemoved
from core.groups.model import DeviceSelector, Group, GroupEdit, NewGroup
from core.groups.ports import GroupStore
from core.groups.service import Groups

__all__ = [
    "DeviceSelector",
    "Group",
    "GroupCreated",
    "GroupEdit",
    "GroupEdited",
    "GroupRemoved",
    "GroupStore",
    "Groups",
    "NewGroup",
]
