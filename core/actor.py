"""Who asks, and what they may do."""

from enum import Enum, IntEnum
from typing import NewType

from attrs import frozen

from core.ids import DeviceUuid, SessionId, UserId

Permission = NewType("Permission", str)


class Role(IntEnum):
    """What a person is to this installation; a higher role may do more."""

    VIEWER = 1
    OPERATOR = 2
    MANAGER = 3
    ADMIN = 4
    OWNER = 5

    @property
    def word(self) -> str:
        """The role as it goes over the wire: `owner`, `admin`…"""
        return self.name.lower()


class ActorKind(Enum):
    """What sort of caller it is."""

    STRANGER = "stranger"
    USER = "user"
    DEVICE = "device"
    SYSTEM = "system"


@frozen(kw_only=True)
class Actor:
    """Whoever wants something done: a person, a device, ourselves, or somebody we do not know."""

    kind: ActorKind
    permissions: frozenset[Permission] = frozenset()
    user_id: UserId | None = None
    username: str = ""
    role: Role | None = None
    session_id: SessionId | None = None
    device_uuid: DeviceUuid | None = None
    address: str = ""

    @property
    def reference(self) -> str:
        """The actor as written in events and the audit log: `user:7:anna`, `device:<uuid>`, `system`."""
        if self.kind is ActorKind.USER:
            return f"user:{self.user_id}:{self.username}"
        if self.kind is ActorKind.DEVICE:
            return f"device:{self.device_uuid}"
        return str(self.kind.value)


STRANGER = Actor(kind=ActorKind.STRANGER)
SYSTEM = Actor(kind=ActorKind.SYSTEM)


@frozen
class PermissionGrant:
    """A permission, the lowest role that holds it, and what it lets one do."""

    permission: Permission
    lowest: Role
    summary: str
