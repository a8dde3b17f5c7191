"""A gatekeeper and an inbox that tests can steer, and a client that says byte by byte what a test wants."""

import asyncio
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from adapters.amqtt import EmbeddedBroker
from adapters.amqtt.framer import Framer
from core.errors import Unavailable
from core.mqtt import Access, Message, Rule, device_of, device_rules, permits

DEVICE = "5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56"
OTHER = "0b8e7a0e-9d1c-4d43-8a3c-0d6f3f1c2a11"
PASSWORD = "open sesame"
SOON = 5.0
CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 5, 6, 7, 9, 11, 13
EVERYTHING = Access.READ | Access.WRITE | Access.SUBSCRIBE


class Keeper:
    """Implements `Gatekeeper`: everybody's password is the same; devices have the rules of devices."""

    def __init__(self) -> None:
        self.rules: dict[str, list[Rule]] = {}
        self.revoked: set[str] = set()
        self.fails: Exception | None = None
        self.fails_at: Access | None = None
        self.holds: dict[str, asyncio.Event] = {}
        self.logins = 0
        self.login_begun = asyncio.Event()
        self.asked: list[tuple[str, str, Access]] = []
        self.heard: list[str] = []

    def allow(self, username: str, topic: str, access: Access = EVERYTHING) -> None:
        self.rules.setdefault(username, []).append(Rule(topic=topic, access=access))

    async def authenticate(self, *, username: str, password: str, client_id: str) -> bool:
        self.logins += 1
        self.login_begun.set()
        if username in self.holds:
            await self.holds[username].wait()
        if self.fails is not None:
            raise self.fails
        return password == PASSWORD and username not in self.revoked

    async def permits(self, *, username: str, client_id: str, topic: str, access: Access) -> bool:
        self.asked.append((username, topic, access))
        await asyncio.sleep(0)
        if self.fails is not None or access is self.fails_at:
            raise self.fails or Unavailable("the database is away")
        uuid = device_of(username)
        rules: Iterable[Rule] = device_rules(uuid) if uuid else self.rules.get(username, ())
        return username not in self.revoked and permits(rules, topic, access, username=username, client_id=client_id)

    def listens_to(self, username: str) -> Sequence[str]:
        """Nothing of its own accord."""
        return ()

    def seen(self, username: str) -> None:
        self.heard.append(username)


class Box:
    """Implements `Inbox`: wants states and readings; can be made to wait or to fail."""

    def __init__(self) -> None:
        self.stored: list[Message] = []
        self.begun: list[Message] = []
        self.open = asyncio.Event()
        self.open.set()
        self.full = False
        self.unwelcome = b""
        self.arrival = asyncio.Condition()

    def wants(self, topic: str) -> bool:
        return "/state" in topic or "/sensor/" in topic

    async def receive(self, message: Message) -> None:
        self.begun.append(message)
        await self._notify()
        await self.open.wait()
        if self.full or message.payload == self.unwelcome:
            raise Unavailable("the disk is full")
        self.stored.append(message)
        await self._notify()

    async def until(self, *, stored: int = 0, begun: int = 0) -> None:
        async with asyncio.timeout(SOON), self.arrival:
            await self.arrival.wait_for(lambda: len(self.stored) >= stored and len(self.begun) >= begun)

    async def _notify(self) -> None:
        async with self.arrival:
            self.arrival.notify_all()


async def turns(count: int) -> None:
    """Let everybody else in the process get on."""
    for _ in range(count):
        await asyncio.sleep(0)


def text(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("!H", len(raw)) + raw


def packet(first: int, body: bytes = b"") -> bytes:
    length, header = len(body), bytearray([first])
    while True:
        length, low = divmod(length, 128)
        header.append(low | (128 if length else 0))
        if not length:
            return bytes(header) + body


def connect_packet(
    client_id: str = "",
    username: str | None = None,
    password: str | None = PASSWORD,
    *,
    clean: bool = True,
    keep_alive: int = 60,
    will: tuple[str, bytes, int, bool] | None = None,
    protocol: bytes = b"\x00\x04MQTT\x04",
) -> bytes:
    flags = (0x80 if username is not None else 0) | (0x40 if username is not None and password is not None else 0)
    flags |= 2 if clean else 0
    payload = text(client_id)
    if will is not None:
        flags |= 0x04 | will[2] << 3 | (0x20 if will[3] else 0)
        payload += text(will[0]) + text(will[1])
    if username is not None:
        payload += text(username) + (text(password) if password is not None else b"")
    return packet(0x10, protocol + bytes([flags]) + struct.pack("!H", keep_alive) + payload)


def publish_packet(
    topic: str, payload: bytes, *, qos: int = 0, packet_id: int = 1, retain: bool = False, dup: bool = False
) -> bytes:
    identifier = struct.pack("!H", packet_id) if qos else b""
    return packet(0x30 | qos << 1 | retain | (8 if dup else 0), text(topic) + identifier + payload)


def subscribe_packet(*filters: tuple[str, int], packet_id: int = 1) -> bytes:
    return packet(0x82, struct.pack("!H", packet_id) + b"".join(text(name) + bytes([qos]) for name, qos in filters))


class Raw:
    """One TCP connection that speaks MQTT as badly as it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._framer = Framer(10_000_000)
        self._read: list[tuple[int, int, bytes]] = []

    @classmethod
    async def dial(cls, broker: EmbeddedBroker) -> "Raw":
        return cls(*await asyncio.open_connection("127.0.0.1", broker.port))

    def send(self, *packets: bytes) -> None:
        self.writer.write(b"".join(packets))

    async def next(self) -> tuple[int, int, bytes]:
        """The next packet; EOFError when the broker has closed."""
        async with asyncio.timeout(SOON):
            while not self._read:
                try:
                    chunk = await self.reader.read(65_536)
                except ConnectionError:
                    chunk = b""
                if not chunk:
                    raise EOFError
                self._framer.feed(chunk)
                self._read.extend(self._framer.packets())
        return self._read.pop(0)

    async def expect(self, kind: int) -> bytes:
        found, _, body = await self.next()
        assert found == kind, f"packet {found} ({body!r}) instead of {kind}"
        return body

    async def message(self) -> tuple[str, bytes, int, bool]:
        """The next packet, a PUBLISH, as topic, payload, QoS and retain; QoS 1 is acknowledged."""
        kind, flags, body = await self.next()
        assert kind == PUBLISH, f"packet {kind} instead of a message"
        size = struct.unpack_from("!H", body)[0] + 2
        qos = flags >> 1 & 3
        if qos == 1:
            self.send(packet(0x40, body[size : size + 2]))
        return body[2:size].decode(), body[size + 2 if qos else size :], qos, bool(flags & 1)

    async def login(self, client_id: str, username: str, **options: Any) -> bool:
        """Connect, which must succeed; was the session present?"""
        self.send(connect_packet(client_id, username, **options))
        body = await self.expect(CONNACK)
        assert body[1] == 0, f"refused with {body[1]}"
        return bool(body[0])

    async def subscribe(self, *filters: tuple[str, int]) -> list[int]:
        self.send(subscribe_packet(*filters))
        return list((await self.expect(SUBACK))[2:])

    async def closed(self) -> None:
        """Wait until the broker has closed; whatever comes before is ignored."""
        try:
            while True:
                await self.next()
        except EOFError:
            return

    async def silent(self) -> bool:
        """Has nothing been sent to us? A ping's answer comes after all that was due before it."""
        self.send(b"\xc0\x00")
        return (await self.next())[0] == PINGRESP

    async def close(self) -> None:
        """Vanish without DISCONNECT."""
        self.writer.transport.abort()
        await asyncio.sleep(0)
