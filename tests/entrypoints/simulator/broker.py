"""A broker of a few lines that tests can take down, silence and look into."""

import asyncio
import struct
from collections.abc import Callable

from attrs import define, field, frozen

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14
CONNACK, PUBACK, SUBACK, PINGRESP = b"\x20\x02\x00\x00", 0x40, 0x90, b"\xd0\x00"


@frozen(kw_only=True)
class Connected:
    """What a client said in its CONNECT."""

    level: int
    client_id: str
    username: str
    password: str
    clean: bool
    will: bool
    keepalive: int


@frozen(kw_only=True)
class Published:
    """What a client published."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@frozen(kw_only=True)
class Subscribed:
    """What a client subscribed to."""

    topic: str
    qos: int


Heard = Connected | Published | Subscribed


@define
class Broker:
    """Answers CONNECT, PUBLISH, SUBSCRIBE and PINGREQ, and tells `hear` of them. It forwards nothing."""

    hear: Callable[[Heard], None]
    port: int = 0
    acknowledges: bool = True
    refuses_subscriptions: bool = False
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(factory=set)

    async def start(self) -> None:
        """Listen: the first time on any free port, from then on on the same."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut everyone off."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def send(self, topic: str, payload: bytes) -> None:
        """Publish to all who are connected, whatever they subscribed to."""
        body = struct.pack("!H", len(topic)) + topic.encode() + payload
        for writer in self._writers:
            writer.write(bytes([PUBLISH << 4]) + _length(len(body)) + body)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readexactly(1))[0]
                body = await reader.readexactly(await _read_length(reader))
                if head >> 4 == DISCONNECT:
                    break
                writer.write(self._answer(head, body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, head: int, body: bytes) -> bytes:
        kind = head >> 4
        if kind == CONNECT:
            self.hear(_connected(body))
            return CONNACK
        if kind == PUBLISH:
            published, identifier = _published(head, body)
            self.hear(published)
            return bytes([PUBACK, 2]) + identifier if identifier and self.acknowledges else b""
        if kind == SUBSCRIBE:
            topic, rest = _text(body[2:])
            self.hear(Subscribed(topic=topic, qos=rest[0]))
            return bytes([SUBACK, 3]) + body[:2] + bytes([0x80 if self.refuses_subscriptions else rest[0]])
        return PINGRESP if kind == PINGREQ else b""


def _connected(body: bytes) -> Connected:
    _, rest = _text(body)
    level, flags, keepalive = rest[0], rest[1], struct.unpack("!H", rest[2:4])[0]
    client_id, rest = _text(rest[4:])
    username, rest = _text(rest)
    password, _ = _text(rest)
    return Connected(
        level=level,
        client_id=client_id,
        username=username,
        password=password,
        clean=bool(flags & 2),
        will=bool(flags & 4),
        keepalive=keepalive,
    )


def _published(head: int, body: bytes) -> tuple[Published, bytes]:
    topic, rest = _text(body)
    qos = (head >> 1) & 3
    identifier, payload = (rest[:2], rest[2:]) if qos else (b"", rest)
    return Published(topic=topic, payload=payload, qos=qos, retain=bool(head & 1)), identifier


def _text(data: bytes) -> tuple[str, bytes]:
    size = struct.unpack("!H", data[:2])[0]
    return data[2 : 2 + size].decode(), data[2 + size :]


async def _read_length(reader: asyncio.StreamReader) -> int:
    value = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, byte = divmod(size, 128)
        encoded.append(byte | (0x80 if size else 0))
        if not size:
            return bytes(encoded)
