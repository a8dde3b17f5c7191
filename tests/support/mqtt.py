"""Devices on the broker, as real MQTT clients."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiomqtt


@asynccontextmanager
async def connected(mqtt: Mapping[str, Any], **changes: Any) -> AsyncIterator[aiomqtt.Client]:
    """A client with the credentials of a registration, named as the agent names itself."""
    address = urlsplit(mqtt["broker"])
    options = {
        "username": mqtt["username"],
        "password": mqtt["password"],
        "identifier": mqtt["username"],
        "timeout": 5,
        **changes,
    }
    async with aiomqtt.Client(address.hostname or "", address.port or 1883, **options) as client:
        yield client
