"""The document of the API (OpenAPI 3.1), made of the routes and of the types they name."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import cleandoc
from typing import Any

import msgspec

from entrypoints.http.app import path_of
from entrypoints.http.openapi_answers import answers_of, body_of
from entrypoints.http.openapi_operations import SCHEMES, described, module_of, plain
from entrypoints.http.routing import Route

OPENAPI = "3.1.0"
REFERENCE = "#/components/schemas/{name}"
ABOUT = """
People log in at `/api/v1/auth/login` and send the access token; devices send the key they registered with. Times are
ISO 8601 with their zone. Bodies may be compressed (`Content-Encoding: gzip`). Fields that a body does not name are
ignored.
"""


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The whole document. Routes that serve the same path are its methods."""
    kinds = list({id(kind): kind for route in routes for kind in _kinds(route)}.values())
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    known = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = path_of(route)
        operation = described(route, path, lambda kind: known[id(kind)])
        paths.setdefault(plain(path), {})[route.method.lower()] = operation
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Iotistic",
            "version": version,
            "summary": "The control plane for fleets of IoT devices",
            "description": cleandoc(ABOUT),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Here"}],
        "tags": _tags(routes),
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components, "securitySchemes": SCHEMES},
    }


def _kinds(route: Route) -> Iterable[Any]:
    """The types that a route names."""
    if body := body_of(route):
        yield body.kind
    for answer in answers_of(route).values():
        yield answer.kind


def _tags(routes: Iterable[Route]) -> list[Mapping[str, str]]:
    """A tag per feature, described by the first line of its module."""
    modules = {module_of(route): sys.modules[route.handler.__module__].__doc__ or "" for route in routes}
    return [{"name": name, "description": about.strip().partition("\n")[0]} for name, about in sorted(modules.items())]
