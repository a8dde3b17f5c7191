"""What people at the console do with accounts of a broker, and what the broker then says to such accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
from attrs import frozen

from tests.support.application import Api, Caller
from tests.support.mqtt import connected

PASSWORD = "correct horse"
REFUSED = 128


@frozen
class Console:
    """What the console does, and what the broker says about it."""

    api: Api
    owner: Caller

    async def account(self, username: str, *rows: tuple[str, int], **fields: Any) -> int:
        """An account with these topics and accesses; its number."""
        made = await self.owner.post("/auth/mqtt-users", {"username": username, "password": PASSWORD, **fields})
        assert made.status == 201, made
        number: int = made.body["user"]["id"]
        for topic, access in rows:
            await self.row(number, topic, access)
        return number

    async def row(self, number: int, topic: str, access: int, **fields: Any) -> int:
        """One row more; its number."""
        added = await self.owner.post(f"/auth/mqtt-users/{number}/acls", {"topic": topic, "access": access, **fields})
        assert added.status == 201, added
        row: int = added.body["acl"]["id"]
        return row

    @asynccontextmanager
    async def client(self, username: str, password: str = PASSWORD, **options: Any) -> AsyncIterator[aiomqtt.Client]:
        """A client of the live broker."""
        mqtt = {"broker": self.api.running.mqtt_url, "username": username, "password": password}
        async with connected(mqtt, **{"identifier": f"{username}-1", **options}) as client:
            yield client

    async def may(self, username: str, access: int, topic: str, mode: str = "json") -> bool:
        """What mosquitto would be told, which is what the embedded broker is told."""
        fields: dict[str, Any] = {"username": username, "clientid": f"{username}-1", "topic": topic, "acc": access}
        texts = {name: str(value) for name, value in fields.items()}
        options: dict[str, Any] = {"json": fields} if mode == "json" else {"data": texts}
        answer = await self.api.stranger.call("POST", "/mosquitto-auth/acl", root=True, **options)
        assert (answer.status == 200) == answer.body["ok"]
        return answer.status == 200

    async def ask(self, question: str, mode: str, **fields: Any) -> bool:
        """One of the other questions."""
        options: dict[str, Any] = {"json" if mode == "json" else "data": fields}
        answer = await self.api.stranger.call("POST", f"/mosquitto-auth/{question}", root=True, **options)
        assert (answer.status == 200) == answer.body["ok"] == answer.body["success"] == (answer.body["error"] == "")
        return answer.status == 200


async def granted(client: aiomqtt.Client, topic: str) -> bool:
    """Is the filter granted?"""
    [code] = await client.subscribe(topic, qos=1)
    return (code if isinstance(code, int) else code.value) != REFUSED


async def heard(client: aiomqtt.Client) -> tuple[str, bytes]:
    """The next message."""
    message = await anext(aiter(client.messages))
    assert isinstance(message.payload, bytes)
    return str(message.topic), message.payload
