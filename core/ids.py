"""Names of things, and where new ones and secrets come from."""

import re
from typing import NewType, Protocol

from core.errors import Invalid

DeviceUuid = NewType("DeviceUuid", str)
UserId = NewType("UserId", int)
ProvisioningKeyId = NewType("ProvisioningKeyId", str)
SessionId = NewType("SessionId", str)
GroupId = NewType("GroupId", int)

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Ids(Protocol):
    """Chance: new names and new secrets."""

    def uuid(self) -> str:
        """A name nobody has yet (RFC 9562, version 4, lower case with hyphens)."""

    def secret(self, size: int = 32) -> str:
        """`size` random bytes from the operating system, in hexadecimal."""


def device_uuid(text: object, field: str = "uuid") -> DeviceUuid:
    """The canonical form of a device's uuid: 36 characters, lower case. Raises Invalid for anything else.

    Only the hyphenated form is taken: braces, urn: prefixes, blanks and other digits of Unicode, which lenient
    parsers fold, would let one device appear under several names.
    """
    if isinstance(text, str) and _UUID.fullmatch(text):
        return DeviceUuid(text.lower())
    raise Invalid(f"{field} must be a UUID such as 5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56", field=field)
