"""What handlers answer."""

from typing import Any

import msgspec
from aiohttp import web

_encoder = msgspec.json.Encoder()


def encoded(value: Any) -> bytes:
    """The value as JSON in bytes; moments as ISO 8601 with Z."""
    return _encoder.encode(value)


def json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """The value as JSON; moments as ISO 8601 with Z."""
    return web.Response(
        body=encoded(value), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )
