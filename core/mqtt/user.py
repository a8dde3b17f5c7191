"""Accounts of the broker as people look after them, and the rows that say what an account may do."""

from datetime import datetime
from typing import Any, NewType

from attrs import evolve, field, frozen

from core.access import password_of
from core.checks import plain_text
from core.errors import Conflict, Invalid
from core.ids import DeviceUuid
from core.mqtt.acl import DEVICE_PREFIX, Rule, is_plain
from core.mqtt.model import Access
from core.mqtt.topics import topic_filter

MqttUserId = NewType("MqttUserId", int)
MqttAclId = NewType("MqttAclId", int)

LONGEST_USERNAME = 255
EVERYTHING = Access.READ | Access.WRITE | Access.SUBSCRIBE
HIGHEST_PRIORITY = 1_000_000


def mqtt_username(text: object) -> str:
    """A name that a person may give an account. Raises Invalid.

    Names that could stand for a device are the devices' own; wildcards would mean more than themselves where a rule
    has `%u`.
    """
    name = plain_text(text, "username", longest=LONGEST_USERNAME)
    if not is_plain(name):
        raise Invalid("username must not contain + # / nor begin with $", field="username")
    if name.lower().startswith(DEVICE_PREFIX):
        raise Invalid(f"usernames that begin with {DEVICE_PREFIX} belong to devices", field="username")
    return name


def rule_topic(text: str) -> str:
    """A filter that a row may name, with `%u` and `%c` in it. Raises Invalid."""
    try:
        known = topic_filter(text)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="topic") from refusal
    if known.startswith("$share/"):
        raise Invalid("name the filter itself: who may subscribe to it may share it", field="topic")
    return known


def rule_access(value: int) -> Access:
    """1 to 7: the sum of 1 read, 2 write and 4 subscribe. Raises Invalid."""
    if isinstance(value, bool) or not 1 <= value <= EVERYTHING:
        raise Invalid("access must be between 1 and 7: the sum of 1 read, 2 write, 4 subscribe", field="access")
    return Access(value)


def rule_priority(value: int) -> int:
    """A number within bounds. Raises Invalid."""
    if not -HIGHEST_PRIORITY <= value <= HIGHEST_PRIORITY:
        raise Invalid(f"priority must be between -{HIGHEST_PRIORITY} and {HIGHEST_PRIORITY}", field="priority")
    return value


@frozen(kw_only=True)
class AclRow:
    """One right of one account, or with `deny` something it may not do. A row for all accounts there is not."""

    id: MqttAclId = MqttAclId(0)
    username: str
    topic: str = field(converter=rule_topic)
    access: Access = field(converter=rule_access)
    priority: int = field(default=0, converter=rule_priority)
    deny: bool = False
    created_at: datetime

    @property
    def rule(self) -> Rule:
        """The row as the broker's questions need it."""
        return Rule(topic=self.topic, access=self.access, deny=self.deny, priority=self.priority)


@frozen(kw_only=True)
class AclChange:
    """What a row is to say. None leaves a value as it is."""

    topic: str | None = None
    access: int | None = None
    priority: int | None = None
    deny: bool | None = None

    def applied_to(self, row: AclRow) -> AclRow:
        """The row after the change. Raises Invalid when nothing is to be changed or a value is wrong."""
        wanted: dict[str, Any] = {
            "topic": self.topic,
            "access": self.access,
            "priority": self.priority,
            "deny": self.deny,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        if not changes:
            raise Invalid("name at least one of topic, access, priority, deny")
        return evolve(row, **changes)


@frozen(kw_only=True)
class MqttUser:
    """An account of the broker. Knows nothing of its password."""

    id: MqttUserId = MqttUserId(0)
    username: str
    is_superuser: bool = False
    is_active: bool = True
    device_uuid: DeviceUuid | None = None
    created_at: datetime
    updated_at: datetime
    acls: tuple[AclRow, ...] = ()

    def edited_by_people(self) -> "MqttUser":
        """The same account, if it is one that people look after. Raises Conflict for those of devices."""
        if self.device_uuid is not None:
            raise Conflict(
                "this account belongs to a device, and so do its rights: they come and go with the device,"
                " and its password with each registration"
            )
        return self


@frozen(kw_only=True)
class NewMqttUser:
    """An account to be made."""

    username: str = field(converter=mqtt_username)
    password: str = field(converter=password_of, repr=False)
    is_superuser: bool = False
    is_active: bool = True

    def made(self, now: datetime) -> MqttUser:
        """The account, not yet stored."""
        return MqttUser(
            username=self.username,
            is_superuser=self.is_superuser,
            is_active=self.is_active,
            created_at=now,
            updated_at=now,
        )


@frozen(kw_only=True)
class MqttUserChange:
    """What is to change of an account. None leaves it as it is."""

    password: str | None = field(default=None, repr=False)
    is_superuser: bool | None = None
    is_active: bool | None = None

    def __attrs_post_init__(self) -> None:
        if self.password is None and self.is_superuser is None and self.is_active is None:
            raise Invalid("name at least one of password, is_superuser, is_active")
        if self.password is not None:
            password_of(self.password)

    def applied_to(self, user: MqttUser, now: datetime) -> MqttUser:
        """The account after the change."""
        return evolve(
            user,
            is_superuser=user.is_superuser if self.is_superuser is None else self.is_superuser,
            is_active=user.is_active if self.is_active is None else self.is_active,
            updated_at=now,
        )

    def of(self, before: MqttUser, after: MqttUser) -> tuple[str, ...]:
        """The names of what differs. A password that is given counts as another one."""
        names = tuple(name for name in ("is_superuser", "is_active") if getattr(before, name) != getattr(after, name))
        return names if self.password is None else ("password", *names)
