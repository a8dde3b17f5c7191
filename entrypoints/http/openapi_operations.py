"""One route as an operation of the document (OpenAPI 3.1 §4.8.10)."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from entrypoints.http.cookies import COOKIE
from entrypoints.http.declarations import Answer, Secret
from entrypoints.http.openapi_answers import FIRST_REFUSAL, answers_of, body_of
from entrypoints.http.routing import Caller, Route

SchemaOf = Callable[[Any], Mapping[str, Any]]

PERSON = "person"
DEVICE_KEY = "deviceKey"
SCHEMES: Mapping[str, Mapping[str, str]] = {
    PERSON: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token that POST /api/v1/auth/login answers",
    },
    DEVICE_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Device-API-Key",
        "description": "The key that the device registered with",
    },
    Secret.DEVICE_KEY.value: {
        "type": "http",
        "scheme": "bearer",
        "description": "The key of the device, for agents that send it as a bearer token",
    },
    Secret.PROVISIONING_KEY.value: {
        "type": "http",
        "scheme": "bearer",
        "description": "A provisioning key, shown once when it was made",
    },
    Secret.SESSION_COOKIE.value: {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Set by the login; it lets people watch and do nothing else",
    },
    Secret.TOKEN_IN_QUERY.value: {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "The access token, where a browser can send no header",
    },
    Secret.METRICS_TOKEN.value: {
        "type": "http",
        "scheme": "bearer",
        "description": "METRICS_TOKEN; callers on this machine need none where it is not set",
    },
    Secret.BROKER_SECRET.value: {
        "type": "apiKey",
        "in": "query",
        "name": "secret",
        "description": "MOSQUITTO_AUTH_SECRET; a broker on this machine needs none where it is not set",
    },
}
ALLOWED: Mapping[Caller, tuple[str, ...]] = {
    Caller.USER: (PERSON,),
    Caller.DEVICE: (DEVICE_KEY, Secret.DEVICE_KEY.value),
    Caller.DEVICE_OR_USER: (DEVICE_KEY, Secret.DEVICE_KEY.value, PERSON),
}
# Where the machine itself is trusted as long as the secret is not set.
OPTIONAL = {Secret.METRICS_TOKEN, Secret.BROKER_SECRET}

NUMBER: Mapping[str, Any] = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
PATH_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    **dict.fromkeys(("id", "appId", "eventId", "version"), NUMBER),
}
IN_PATH = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")


def described(route: Route, path: str, schema_of: SchemaOf) -> dict[str, Any]:
    """The operation of a route at this whole path. `schema_of` describes types."""
    answers = answers_of(route).items()
    operation: dict[str, Any] = {
        "operationId": operation_id(route.method, path),
        "tags": [module_of(route)],
        "summary": route.summary,
        "description": _description(route),
        "security": _security(route),
        "responses": {str(status): _response(status, answer, schema_of) for status, answer in answers},
    }
    if parameters := [*_in_path(path), *_in_query(route)]:
        operation["parameters"] = parameters
    if body := body_of(route):
        content = {media: {"schema": schema_of(body.kind)} for media in body.media}
        operation["requestBody"] = {"required": body.required, "content": content}
    return operation


def plain(path: str) -> str:
    """The path as OpenAPI writes it: without the patterns of its parameters."""
    return IN_PATH.sub(r"{\1}", path)


def operation_id(method: str, path: str) -> str:
    """A name that stays as long as the method and the path do: `getDevicesByUuidReadings`."""
    words: list[str] = []
    for part in plain(path).removeprefix("/api/v1").strip("/").split("/"):
        words += ["by", part.strip("{}")] if part.startswith("{") else re.split(r"[^A-Za-z0-9]+", part)
    return method.lower() + ("".join(word[:1].upper() + word[1:] for word in words) or "Root")


def module_of(route: Route) -> str:
    """The feature that serves it: the last word of the handler's module."""
    return route.handler.__module__.rpartition(".")[2]


def _description(route: Route) -> str:
    manual = inspect.getdoc(route.handler) or route.summary
    return f"{manual}\n\nFor: {route.allow}."


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Any one of these is enough. The empty one stands for no credentials at all."""
    schemes = [*ALLOWED.get(route.allow.caller, ()), *(each.value for each in route.secrets if each.value in SCHEMES)]
    if route.allow.token_in_query:
        schemes.append(Secret.TOKEN_IN_QUERY.value)
    if route.allow.session_cookie:
        schemes.append(Secret.SESSION_COOKIE.value)
    optional: list[dict[str, list[str]]] = [{}] if OPTIONAL.intersection(route.secrets) else []
    return [*({scheme: list[str]()} for scheme in schemes), *optional]


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": PATH_SCHEMAS.get(name, {"type": "string", "minLength": 1}),
        }
        for name in (found[1] for found in IN_PATH.finditer(path))
    ]


def _in_query(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.summary,
            "schema": dict(parameter.schema),
        }
        for parameter in route.query
    ]


def _response(status: int, answer: Answer, schema_of: SchemaOf) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.summary}
    if answer.media is not None:
        response["content"] = {answer.media: {"schema": schema_of(answer.kind)}}
    if answer.headers:
        response["headers"] = {
            name: {"description": says, "schema": {"type": "string"}, "required": status >= FIRST_REFUSAL}
            for name, says in answer.headers.items()
        }
    return response
