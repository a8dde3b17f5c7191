"""The document of the API for programs, and a page that shows it to people (swagger-ui, from a package)."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import msgspec
from aiohttp import web

from core.errors import NotFound
from entrypoints.http.declarations import Answer
from entrypoints.http.openapi import document
from entrypoints.http.routing import ANYONE, Route

# A package for Flask, of which we want the files only. Importing it would import Flask, so it is found instead.
PACKAGE = "flask_swagger_ui"
FOLDER = "dist"
FILES: Mapping[str, str] = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-16x16.png": "image/png",
    "favicon-32x32.png": "image/png",
}
START = "start.js"
DAY = "public, max-age=86400"
REVALIDATE = "public, no-cache"
# No script and no style but from files of ours, no call to anyone else. The pictures in the style sheet are data:.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Iotistic API</title>
<link rel="icon" type="image/png" sizes="32x32" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
SCRIPT = """"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
  queryConfigEnabled: false,
});
"""


class OpenApiRoutes:
    """Handlers. They describe the routes that `describe` was given, which may be after the routes were made."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._routes: Sequence[Route] = ()

    def describe(self, routes: Sequence[Route]) -> None:
        """These are the routes."""
        self._routes = routes

    async def document(self, request: web.Request) -> web.Response:
        """Every route with what it takes and answers, as OpenAPI 3.1."""
        headers = {"ETag": self._etag, "Cache-Control": REVALIDATE}
        if self._etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=self._encoded, headers=headers, content_type="application/json", charset="utf-8")

    async def page(self, _request: web.Request) -> web.Response:
        """A page on which people read the document and try the routes."""
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": REVALIDATE, "Referrer-Policy": "no-referrer"}
        return web.Response(text=PAGE, content_type="text/html", charset="utf-8", headers=headers)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of that page."""
        name = request.match_info["file"]
        if name == START:
            return web.Response(
                text=SCRIPT, content_type="text/javascript", charset="utf-8", headers={"Cache-Control": DAY}
            )
        if name not in FILES:
            raise NotFound("the page has no such file")
        return web.FileResponse(_folder() / name, headers={"Content-Type": FILES[name], "Cache-Control": DAY})

    # Made when it is first asked for: most processes never are.
    @cached_property
    def _encoded(self) -> bytes:
        return msgspec.json.encode(document(self._routes, self._version))

    @cached_property
    def _etag(self) -> str:
        return f'"{sha256(self._encoded).hexdigest()[:32]}"'

    def routes(self) -> list[Route]:
        """Public, as the API itself is no secret."""
        return [
            Route(
                method="GET",
                path="/api/openapi.json",
                handler=self.document,
                allow=ANYONE,
                summary="This document",
                root=True,
                answers={200: "An OpenAPI 3.1 document", 304: "It is as the ETag says"},
            ),
            Route(
                method="GET",
                path="/api/docs",
                handler=self.page,
                allow=ANYONE,
                summary="This document as a page",
                root=True,
                answers={200: Answer("A page", str, "text/html")},
            ),
            Route(
                method="GET",
                path="/api/docs/{file}",
                handler=self.file,
                allow=ANYONE,
                summary="A file of the page",
                root=True,
                answers={
                    200: Answer("The file", str, "*/*"),
                    206: Answer("The part that was asked for", str, "*/*"),
                    304: "It has not changed",
                    412: Answer("It has changed", media=None),
                    416: Answer("There is no such part", media=None),
                },
            ),
        ]


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("the files of the page are not installed; the document is at /api/openapi.json")
    return Path(spec.submodule_search_locations[0]) / FOLDER
