"""One account of the broker."""

from enum import Enum

from attrs import field, frozen

from core.ids import DeviceUuid
from core.mqtt.acl import Rule, device_rules


class PasswordKind(Enum):
    """How the verifier of a password was made."""

    DIGEST = "digest"  # of a random secret, as devices have them
    BCRYPT = "bcrypt"  # of a password that a person chose


@frozen(kw_only=True)
class MqttAccount:
    """An account as the broker's questions need it. Inactive ones may do nothing at all.

    `v2` accounts are those of devices that registered by provisioning v2.
    """

    username: str
    digest: str = field(repr=False)
    kind: PasswordKind = PasswordKind.DIGEST
    is_active: bool
    is_superuser: bool = False
    device_uuid: DeviceUuid | None = None
    v2: bool = False
    granted: tuple[Rule, ...] = ()

    def rules(self) -> tuple[Rule, ...]:
        """What the account may do: what people wrote down for it; devices need no rows, and none would count."""
        return self.granted if self.device_uuid is None else device_rules(self.device_uuid, v2=self.v2)
