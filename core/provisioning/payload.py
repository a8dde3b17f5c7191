"""What a device has sealed: JSON, read strictly."""

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from core.errors import Invalid
from core.ids import DeviceUuid, device_uuid
from core.provisioning.model import LONGEST_SECRET, Proof, Registration

LARGEST = 16 * 1024
NOBODY = DeviceUuid("00000000-0000-0000-0000-000000000000")
_TEXTS = ("provisioningApiKey", "deviceName", "deviceType")
_PERHAPS = ("challenge", "macAddress", "osVersion", "agentVersion")


@frozen(kw_only=True)
class Payload:
    """What a device says of itself by v2. It brings no API key: that is ours to make."""

    uuid: DeviceUuid
    secret: str = field(repr=False)
    told: Mapping[str, str] = field(repr=False)

    @property
    def challenge(self) -> str:
        """The challenge it answers; empty where there is none."""
        return self.told.get("challenge", "")

    def registration(self, *, api_key: str, address: str, proof: Proof) -> Registration:
        """The registration it asks for. Raises Invalid."""
        return Registration(
            uuid=self.uuid,
            api_key=api_key,
            name=self.told["deviceName"],
            type=self.told["deviceType"],
            mac_address=self.told.get("macAddress"),
            ip_address=address or None,
            os_version=self.told.get("osVersion"),
            agent_version=self.told.get("agentVersion"),
            proof=proof,
        )


DECOY = Payload(uuid=NOBODY, secret="", told={"deviceName": "nobody", "deviceType": "nothing"})
"""What is gone on with where there is nothing to go on with."""


def read_payload(content: bytes) -> Payload | None:
    """The payload, or None for whatever else it may be: other JSON, JSON that means two things, none at all."""
    if len(content) > LARGEST:
        return None
    try:
        found = json.loads(content.decode(), object_pairs_hook=_once_each, parse_constant=_no_number)
        return _payload(found)
    except (ValueError, RecursionError, Invalid):
        return None


def _payload(found: Any) -> Payload:
    if not isinstance(found, dict):
        raise Invalid("the payload must be an object")
    told = {name: found[name] for name in _PERHAPS if found.get(name) is not None}
    told |= {name: found.get(name) for name in _TEXTS}
    if not all(isinstance(value, str) for value in told.values()):
        raise Invalid("the fields of the payload must be text")
    secret = told.pop("provisioningApiKey")
    if len(secret) > LONGEST_SECRET:
        raise Invalid("the provisioning key is too long")
    payload = Payload(uuid=device_uuid(found.get("deviceUuid")), secret=secret, told=told)
    # A name or type that no device may have is found here, with all else that is wrong inside.
    payload.registration(api_key="0" * 64, address="", proof=Proof())
    return payload


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
