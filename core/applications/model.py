"""Applications of the catalogue, and numbers that were given out."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import Attribute, evolve, field, frozen

from core.checks import PlainText, plain_text
from core.device_state import canonical, check_document
from core.errors import Invalid

LONGEST_NAME = 255
LONGEST_SLUG = 64
LONGEST_DESCRIPTION = 2000
LARGEST_OBJECT = 64 * 1024
LARGEST_ID = 2**31 - 1
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# What Docker takes as part of a container's name.
_CONTAINER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")


def slug(_instance: object, _attribute: "Attribute[Any]", value: object) -> None:
    """An attrs validator for short names in addresses. Raises Invalid; None passes."""
    if value is None:
        return
    if not isinstance(value, str) or len(value) > LONGEST_SLUG or not _SLUG.fullmatch(value):
        reason = f"slug must have lower-case letters, digits and single hyphens, at most {LONGEST_SLUG}"
        raise Invalid(reason, field="slug")


def bounded(_instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """An attrs validator for objects that come back as they were sent. Raises Invalid; None passes."""
    field_name = attribute.alias or attribute.name
    check_document(value, field_name)
    if value is not None and len(canonical(value)) > LARGEST_OBJECT:
        raise Invalid(f"{field_name} may have at most {LARGEST_OBJECT} bytes", field=field_name)


def app_number(_instance: object, _attribute: "Attribute[Any]", value: int | None) -> None:
    """An attrs validator for numbers of apps. Raises Invalid; None passes."""
    if value is not None and not 1 <= value <= LARGEST_ID:
        raise Invalid(f"appId must be between 1 and {LARGEST_ID}", field="appId")


_name = PlainText(longest=LONGEST_NAME)
_optional_name = PlainText(longest=LONGEST_NAME, optional=True)
_description = PlainText(longest=LONGEST_DESCRIPTION, shortest=0, optional=True)


@frozen(kw_only=True)
class NewApplication:
    """An application as somebody wants it in the catalogue."""

    app_name: str = field(alias="appName", validator=_name)
    slug: str = field(validator=slug)
    description: str | None = field(default=None, validator=_description)
    default_config: Mapping[str, Any] = field(factory=dict, alias="defaultConfig", validator=bounded)


@frozen(kw_only=True)
class ApplicationChange:
    """What somebody wants to change of an application. None leaves a value as it is."""

    app_name: str | None = field(default=None, alias="appName", validator=_optional_name)
    slug: str | None = field(default=None, validator=slug)
    description: str | None = field(default=None, validator=_description)
    default_config: Mapping[str, Any] | None = field(default=None, alias="defaultConfig", validator=bounded)

    def applied_to(self, application: "Application", now: datetime) -> "Application":
        """The application after it. Invalid when nothing is to be changed."""
        wanted: dict[str, Any] = {
            "app_name": self.app_name,
            "slug": self.slug,
            "description": self.description,
            "default_config": self.default_config,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        if not changes:
            raise Invalid("name at least one of appName, slug, description, defaultConfig")
        return evolve(application, modified_at=now, **changes)


@frozen(kw_only=True)
class Application:
    """An application of the catalogue. Devices run apps of its number."""

    app_id: int
    app_name: str
    slug: str
    description: str | None
    default_config: Mapping[str, Any]
    created_at: datetime
    modified_at: datetime

    @property
    def container_name(self) -> str:
        """What Docker takes as part of a container's name: the name if it will do, else the slug."""
        return self.app_name if _CONTAINER_NAME.fullmatch(self.app_name) else self.slug


class IdKind(Enum):
    """What a number was given out for."""

    APP = "app"
    SERVICE = "service"


@frozen(kw_only=True)
class IssuedId:
    """A number that was given out, never to be given out again. Services say whose they are."""

    kind: IdKind
    id: int
    name: str = field()
    app_id: int | None = field(default=None, validator=app_number)
    image_name: str | None = field(default=None, validator=PlainText(longest=512, optional=True, called="imageName"))
    metadata: Mapping[str, Any] = field(validator=bounded)
    created_at: datetime
    created_by: str

    @name.validator
    def _(self, _attribute: "Attribute[str]", value: str) -> None:
        plain_text(value, f"{self.kind.value}Name", longest=LONGEST_NAME)
