"""What a route says of what it takes and answers. It makes the document of the API; handlers check for themselves."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from attrs import frozen

JSON = "application/json"


class Undeclared(Enum):
    """Nothing was said of the body, which is not the same as saying that there is none."""

    BODY = "undeclared"


UNDECLARED: Final = Undeclared.BODY


class Secret(Enum):
    """The credentials that a handler asks for itself, by the name of their security scheme in the document.

    OpenAPI has no scheme for credentials that stand in the body.
    """

    DEVICE_KEY = "deviceKeyAsBearer"
    PROVISIONING_KEY = "provisioningKey"
    METRICS_TOKEN = "metricsToken"  # noqa: S105 - the name of a scheme
    SESSION_COOKIE = "sessionCookie"
    TOKEN_IN_QUERY = "tokenInQuery"  # noqa: S105 - the name of a scheme
    IN_THE_BODY = "in the body"
    BROKER_SECRET = "brokerSecret"  # noqa: S105 - the name of a scheme


@frozen(kw_only=True)
class Body:
    """A body other than a JSON one that must be there. `kind` is a type that msgspec can describe."""

    kind: Any = Any
    media: tuple[str, ...] = (JSON,)
    required: bool = True


@frozen
class Answer:
    """One status of a route: in words, and as a type that msgspec can describe. No media is no body."""

    summary: str
    kind: Any = Any
    media: str | None = JSON
    headers: Mapping[str, str] = {}  # name: what it says


@frozen(kw_only=True)
class QueryParameter:
    """One parameter of the query string. `schema` is a JSON Schema (OpenAPI 3.1 §4.8.24)."""

    name: str
    summary: str
    schema: Mapping[str, Any]
    required: bool = False


def text(name: str, summary: str, *, longest: int = 256) -> QueryParameter:
    """What `Query.text` reads."""
    return QueryParameter(name=name, summary=summary, schema={"type": "string", "maxLength": longest})


def integer(name: str, summary: str, *, highest: int, lowest: int = 0, default: int | None = None) -> QueryParameter:
    """What `Query.integer` reads."""
    schema: dict[str, Any] = {"type": "integer", "minimum": lowest, "maximum": highest}
    return QueryParameter(
        name=name, summary=summary, schema=schema if default is None else schema | {"default": default}
    )


def boolean(name: str, summary: str) -> QueryParameter:
    """What `Query.boolean` reads."""
    return QueryParameter(name=name, summary=summary, schema={"type": "boolean"})


def word(name: str, summary: str, kind: type[Enum]) -> QueryParameter:
    """What `Query.word` reads."""
    words = [each.value for each in kind]
    return QueryParameter(name=name, summary=summary, schema={"type": "string", "enum": words})


def moment(name: str, summary: str) -> QueryParameter:
    """What `Query.moment` reads."""
    return QueryParameter(name=name, summary=summary, schema={"type": "string", "format": "date-time"})
