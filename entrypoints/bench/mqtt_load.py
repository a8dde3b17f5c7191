"""A load generator for MQTT 3.1.1: devices that publish with QoS 1 as fast as they are acknowledged."""

import asyncio
import struct
import time
from collections.abc import Callable, Sequence

from attrs import define, frozen

_PUBACK = 0x40
_CONNACK = 0x20
_ACCEPTED = 0
_CONNECT_SECONDS = 10.0
_KEEP_ALIVE = 60


@frozen(kw_only=True)
class Login:
    """How a device gets in."""

    username: str
    password: str


def text(value: str) -> bytes:
    """A string with its length (MQTT 3.1.1 §1.5.3)."""
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def packet(kind: int, body: bytes) -> bytes:
    """A packet with its remaining length (MQTT 3.1.1 §2.2.3)."""
    length, coded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        coded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind]) + bytes(coded) + body


def connect_packet(login: Login) -> bytes:
    """CONNECT with clean session, username and password; the client id is the username."""
    head = text("MQTT") + bytes([4, 0b11000010]) + struct.pack("!H", _KEEP_ALIVE)
    return packet(0x10, head + text(login.username) + text(login.username) + text(login.password))


def publish_packet(topic: str, payload: bytes, number: int) -> bytes:
    """PUBLISH with QoS 1."""
    return packet(0x32, text(topic) + struct.pack("!H", number) + payload)


@define
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connected(cls, port: int, login: Login) -> "Client":
        """A client that was let in. ConnectionError otherwise."""
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(connect_packet(login))
            answer = await reader.readexactly(4)
        if answer[0] != _CONNACK or answer[3] != _ACCEPTED:
            writer.close()
            raise ConnectionRefusedError(f"CONNACK with return code {answer[3]}")
        return cls(reader, writer)

    async def publish(self, packets: Sequence[bytes]) -> None:
        """Send all, and return when all are acknowledged."""
        self.writer.writelines(packets)
        await self.writer.drain()
        for _ in packets:
            answer = await self.reader.readexactly(4)
            if answer[0] != _PUBACK:
                raise ConnectionError(f"expected PUBACK, got packet type {answer[0] >> 4}")

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


Batch = Callable[[int, int], Sequence[bytes]]


async def publish_all(port: int, logins: Sequence[Login], batch: Batch, *, seconds: float) -> tuple[int, float]:
    """Let every device publish batch after batch: `batch(device, round)` makes the packets.

    How many messages were acknowledged, and within how many seconds.
    """
    clients = [await Client.connected(port, login) for login in logins]
    began = time.perf_counter()

    async def busy(index: int, client: Client) -> int:
        sent = turn = 0
        while time.perf_counter() - began < seconds:
            packets = batch(index, turn)
            await client.publish(packets)
            sent += len(packets)
            turn += 1
        return sent

    counts = await asyncio.gather(*(busy(index, client) for index, client in enumerate(clients)))
    spent = time.perf_counter() - began
    for client in clients:
        client.close()
    return sum(counts), spent
