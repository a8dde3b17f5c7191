"""One account of the broker."""

from attrs import field, frozen

from core.ids import DeviceUuid
from core.mqtt.acl import Rule, device_rules


@frozen(kw_only=True)
class MqttAccount:
    """An account as the broker's questions need it. Inactive ones may do nothing at all."""

    username: str
    digest: str = field(repr=False)
    is_active: bool
    is_superuser: bool = False
    device_uuid: DeviceUuid | None = None

    def rules(self) -> tuple[Rule, ...]:
        """What the account may do; devices need no rows for it."""
        return () if self.device_uuid is None else device_rules(self.device_uuid)
