"""What a broker carries by itself, from publishers to a subscriber that does nothing with it."""

import asyncio
import struct
import time
from collections.abc import Sequence

from attrs import define, field

from entrypoints.bench.mqtt_load import Batch, Client, Login, packet, publish_all, text

SUBSCRIBER = Login(username="bench-subscriber", password="none")  # noqa: S106 - the broker lets everybody in
_PUBLISH, _PUBACK, _QOS = 0x30, 0x40, 0x06
DRAIN_SECONDS = 60.0


@define
class _Counter:
    """A subscriber that counts."""

    client: Client
    received: int = 0
    _awaited: int = 0
    _there: asyncio.Event = field(factory=asyncio.Event)

    async def has(self, number: int) -> None:
        """Returns when so many have come."""
        self._awaited = number
        if self.received < number:
            await self._there.wait()

    async def run(self) -> None:
        """Read packets and acknowledge them (MQTT 3.1.1 §3.3, §3.4)."""
        reader, writer = self.client.reader, self.client.writer
        while True:
            kind = (await reader.readexactly(1))[0]
            body = await reader.readexactly(await _remaining_length(reader))
            if kind & 0xF0 == _PUBLISH:
                topic = int.from_bytes(body[:2], "big")
                if kind & _QOS:
                    writer.write(bytes([_PUBACK, 2]) + body[2 + topic : 4 + topic])
                self.received += 1
                if self._awaited and self.received >= self._awaited:
                    self._there.set()


async def carried_alone(port: int, logins: Sequence[Login], batch: Batch, *, seconds: float) -> float:
    """Messages a second that a bare subscriber has received and acknowledged with QoS 1."""
    counter = _Counter(await Client.connected(port, SUBSCRIBER))
    counter.client.writer.write(packet(0x82, struct.pack("!H", 1) + text("iot/device/+/sensor/+") + b"\x01"))
    await counter.client.reader.readexactly(5)
    counting = asyncio.create_task(counter.run())
    began = time.perf_counter()
    sent, _ = await publish_all(port, logins, batch, seconds=seconds)
    async with asyncio.timeout(DRAIN_SECONDS):
        await counter.has(sent)
    spent = time.perf_counter() - began
    counting.cancel()
    counter.client.close()
    return counter.received / spent


async def _remaining_length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return length
