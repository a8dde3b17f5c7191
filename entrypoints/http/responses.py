"""What handlers answer."""

from typing import Any

import msgspec
from aiohttp import web

_encoder = msgspec.json.Encoder()


def json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """The value as JSON; moments as ISO 8601 with Z."""
    return web.Response(
        body=_encoder.encode(value), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )
