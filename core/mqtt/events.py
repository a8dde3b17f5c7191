"""What people do to accounts of the broker, their rights, and the brokers that devices are sent to."""

from datetime import datetime
from typing import ClassVar

from attrs import frozen

from core.events import Event
from core.ids import DeviceUuid


@frozen(kw_only=True)
class MqttUserEvent(Event):
    """Something happened to an account of the broker."""

    username: str


@frozen(kw_only=True)
class MqttUserCreated(MqttUserEvent):
    """Somebody got an account of the broker."""

    NAME: ClassVar[str] = "mqtt.user_created"
    is_superuser: bool
    is_active: bool


@frozen(kw_only=True)
class MqttSuperuserMade(MqttUserEvent):
    """An account may do everything on the broker from now on."""

    NAME: ClassVar[str] = "mqtt.superuser_made"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class MqttUserChanged(MqttUserEvent):
    """An account was changed and its sessions were cut; `changes` names the fields."""

    NAME: ClassVar[str] = "mqtt.user_changed"
    SEVERITY: ClassVar[str] = "warning"
    changes: tuple[str, ...]
    is_superuser: bool
    is_active: bool


@frozen(kw_only=True)
class MqttUserDeleted(MqttUserEvent):
    """An account is gone, with its rights and its sessions."""

    NAME: ClassVar[str] = "mqtt.user_deleted"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class MqttAclEvent(MqttUserEvent):
    """Something happened to a right of an account; what the row says now, or said last."""

    acl_id: int
    topic: str
    access: int
    deny: bool
    priority: int


@frozen(kw_only=True)
class MqttAclAdded(MqttAclEvent):
    """An account has one right, or one prohibition, more."""

    NAME: ClassVar[str] = "mqtt.acl_added"


@frozen(kw_only=True)
class MqttAclChanged(MqttAclEvent):
    """A right says something else than before."""

    NAME: ClassVar[str] = "mqtt.acl_changed"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class MqttAclRemoved(MqttAclEvent):
    """An account has one right, or one prohibition, less."""

    NAME: ClassVar[str] = "mqtt.acl_removed"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class MqttBrokerEvent(Event):
    """Something happened to the definition of a broker."""

    broker_id: int
    name: str
    url: str


@frozen(kw_only=True)
class MqttBrokerAdded(MqttBrokerEvent):
    """A broker was defined."""

    NAME: ClassVar[str] = "mqtt.broker_added"
    is_default: bool


@frozen(kw_only=True)
class MqttBrokerChanged(MqttBrokerEvent):
    """A definition was changed; devices are told at their next registration."""

    NAME: ClassVar[str] = "mqtt.broker_changed"
    SEVERITY: ClassVar[str] = "warning"
    is_default: bool


@frozen(kw_only=True)
class MqttBrokerRemoved(MqttBrokerEvent):
    """A definition is gone; devices that were assigned to it are not any more."""

    NAME: ClassVar[str] = "mqtt.broker_removed"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class MqttBrokerTested(MqttBrokerEvent):
    """Somebody had us connect to a broker; `outcome` is what came of it, in a word."""

    NAME: ClassVar[str] = "mqtt.broker_tested"
    outcome: str


@frozen(kw_only=True)
class DeviceDeaf(Event):
    """A device is connected to the broker since `connected_at` and listens to nothing: no job reaches it there."""

    NAME: ClassVar[str] = "device.deaf"
    SEVERITY: ClassVar[str] = "warning"
    uuid: DeviceUuid
    connected_at: datetime


@frozen(kw_only=True)
class DeviceSentAway(Event):
    """Somebody had a device's MQTT connection cut and kept from coming again for `seconds`, so that it uses HTTP."""

    NAME: ClassVar[str] = "device.sent_away"
    uuid: DeviceUuid
    seconds: int


@frozen(kw_only=True)
class DeviceBrokerAssigned(Event):
    """A device is to use this broker from its next registration on; None is the usual one."""

    NAME: ClassVar[str] = "device.broker_assigned"
    uuid: DeviceUuid
    broker_id: int | None
