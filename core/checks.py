"""Questions every feature asks before it does something."""

import re
from typing import Any

from attrs import Attribute

from core.actor import Actor, ActorKind, Permission
from core.errors import Forbidden, Invalid, Unauthenticated
from core.ids import DeviceUuid

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def require(actor: Actor, permission: Permission) -> None:
    """Let pass who holds the permission; the system holds all. Raises Unauthenticated or Forbidden."""
    if actor.kind is ActorKind.SYSTEM or permission in actor.permissions:
        return
    if actor.kind is ActorKind.STRANGER:
        raise Unauthenticated("log in first")
    role = actor.role.word if actor.role else None
    raise Forbidden(f"this needs the permission {permission}", needed=(permission,), missing=(permission,), role=role)


def require_device(actor: Actor, uuid: DeviceUuid) -> None:
    """Let pass only the device itself. Raises Unauthenticated or Forbidden."""
    if actor.kind is ActorKind.DEVICE and actor.device_uuid == uuid:
        return
    if actor.kind is ActorKind.STRANGER:
        raise Unauthenticated("a device key is needed")
    raise Forbidden("a device may only speak for itself")


def plain_text(value: object, field: str, *, longest: int, shortest: int = 1) -> str:
    """Text that people may read on one line: no control characters, trimmed, within bounds. Raises Invalid."""
    if not isinstance(value, str):
        raise Invalid(f"{field} must be text", field=field)
    text = value.strip()
    if not shortest <= len(text) <= longest:
        raise Invalid(f"{field} must have {shortest} to {longest} characters, not {len(text)}", field=field)
    if _UNPRINTABLE.search(text):
        raise Invalid(f"{field} must not contain control characters", field=field)
    return text


def printable(text: str, *, longest: int) -> str:
    """What can be shown of text from outside, for the record: no control characters, cut off where it is too long."""
    return _UNPRINTABLE.sub("", text[: longest * 2]).strip()[:longest]


class PlainText:
    """An attrs validator for names and descriptions; see `plain_text`. None passes when `optional`.

    `called` is what those who send the value call it, where that is not the name of the attribute.
    """

    def __init__(self, *, longest: int, shortest: int = 1, optional: bool = False, called: str | None = None) -> None:
        self.called = called
        self.longest = longest
        self.shortest = shortest
        self.optional = optional

    def __call__(self, _instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is None and self.optional:
            return
        name = self.called or attribute.alias or attribute.name
        plain_text(value, name, longest=self.longest, shortest=self.shortest)
        # The value is kept as it is, so a line break at its end would be kept too.
        if _UNPRINTABLE.search(str(value)):
            raise Invalid(f"{name} must not contain control characters", field=name)
