"""Provisioning keys and enrolments, and the decisions about them."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import evolve, field, frozen

from core.checks import PlainText, printable
from core.devices import Device, device_api_key, mac_address
from core.errors import Conflict, Invalid
from core.ids import DeviceUuid, ProvisioningKeyId
from core.provisioning.challenges import Challenge

MOST_USES = 10_000
LONGEST_DAYS = 3650
LONGEST_SECRET = 256
LONGEST_VERSION = 100


@frozen(kw_only=True)
class ProvisioningKey:
    """Lets up to `max_uses` devices enrol into a fleet until it expires or is revoked. The key itself is not kept.

    With a `device_uuid` it lets in only the device that is expected there.
    """

    id: ProvisioningKeyId
    digest: str = field(repr=False)
    fleet_id: str = field(validator=PlainText(longest=255, called="fleetId"))
    max_uses: int = field()
    expires_at: datetime
    created_at: datetime
    created_by: str
    description: str | None = field(default=None, validator=PlainText(longest=1000, optional=True))
    uses: int = 0
    is_active: bool = True
    last_used_at: datetime | None = None
    device_uuid: DeviceUuid | None = None
    revoked_reason: str | None = field(
        default=None, validator=PlainText(longest=1000, shortest=0, optional=True, called="reason")
    )

    @max_uses.validator
    def _(self, _attribute: object, value: int) -> None:
        if not 1 <= value <= MOST_USES:
            raise Invalid(f"maxDevices must be between 1 and {MOST_USES}", field="maxDevices")

    def opens(self, now: datetime) -> bool:
        """Whether the key is good at all; how often it was used is another question."""
        return self.is_active and now < self.expires_at

    def revoked(self, reason: str | None) -> "ProvisioningKey":
        """The same key, good no more."""
        if not self.is_active:
            raise Conflict("the key is already revoked")
        return evolve(self, is_active=False, revoked_reason=reason)


def _as_told(text: str | None) -> str | None:
    return printable(text or "", longest=LONGEST_VERSION) or None


def _mac_if_it_is_one(text: str | None) -> str | None:
    try:
        return mac_address(text)
    except Invalid:
        return None


@frozen(kw_only=True)
class Proof:
    """How a device that enrols by v2 shows that it is the one that enrolled before; by v1 its API key shows it.

    Without a fingerprint it shows nothing, and cannot come back by itself. The challenge is used up by the enrolment.
    """

    fingerprint: str | None = None
    challenge: Challenge | None = None


class Flaw(Enum):
    """What was found wrong with a registration before its provisioning key was looked up. Noted, and never told."""

    UNREADABLE = "unreadable payload"
    MALFORMED = "malformed payload"
    UNSIGNED = "wrong signature"
    STALE = "expired or foreign challenge"


@frozen(kw_only=True)
class Registration:
    """What a device says of itself when it enrols. Raises Invalid that names the field.

    What it says beside its name and type is only a description: however odd, it must not keep the device out, since
    agents do not try again (contract §2.3).
    """

    uuid: DeviceUuid
    api_key: str = field(converter=device_api_key, repr=False)
    name: str = field(validator=PlainText(longest=255, called="deviceName"))
    type: str = field(validator=PlainText(longest=100, called="deviceType"))
    mac_address: str | None = field(default=None, converter=_mac_if_it_is_one)
    ip_address: str | None = None
    os_version: str | None = field(default=None, converter=_as_told)
    agent_version: str | None = field(default=None, converter=_as_told)
    proof: Proof | None = None

    @property
    def fingerprint(self) -> str | None:
        """The public key by which it will prove itself later, if it has one."""
        return self.proof.fingerprint if self.proof else None


@frozen(kw_only=True)
class Enrolment:
    """A device that has enrolled and what it was granted: per issuer, what the answer to the device says of it."""

    device: Device
    grants: Mapping[str, Any]
    fresh: bool
