"""One connection to a broker that can be told to read no more."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from attrs import define, field

from adapters.mosquitto.address import BrokerAddress
from core.errors import Unavailable
from entrypoints.mqtt import packets
from entrypoints.mqtt.packets import Hello, Kind, Malformed, Publish, Welcome

T = TypeVar("T")

ANSWER_SECONDS = 10.0
GOODBYE_SECONDS = 1.0
REFUSED = 0x80
# "Unacceptable protocol version" in 3.1.1, "unsupported protocol version" in 5.0.
OTHER_VERSION = frozenset({0x01, 0x84})


class BrokerTrouble(Exception):
    """The broker is not there, or does not do what we need."""


class OtherVersion(BrokerTrouble):
    """The broker does not speak this version of MQTT."""


@define(eq=False)
class Connection(asyncio.Protocol):
    """A subscriber. `deliver` is called with each message, in the order in which they come."""

    version: int
    deliver: Callable[[Publish], None] = lambda _publish: None
    closed: "asyncio.Future[str]" = field(init=False)
    welcome: Welcome | None = None
    _buffer: bytearray = field(factory=bytearray)
    _transport: asyncio.Transport | None = None
    _answers: "dict[int, asyncio.Future[bytes]]" = field(factory=dict)
    _welcomed: "asyncio.Future[Welcome]" = field(init=False)
    _pings: "deque[asyncio.Future[None] | None]" = field(factory=deque)
    _acknowledged: list[bytes] = field(factory=list)
    _last_id: int = 0
    _paused: bool = False
    _heard: bool = False
    _left: bool = False
    _beat_every: float = 0.0
    _beating: asyncio.TimerHandle | None = None

    def __attrs_post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.closed = loop.create_future()
        self._welcomed = loop.create_future()

    async def open(self, address: BrokerAddress, hello: Hello) -> None:
        """Connect. BrokerTrouble when that fails; the broker may send messages before this returns."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                tls = address.tls_context()
                await loop.create_connection(lambda: self, address.host, address.port, ssl=tls)
                self._send(packets.connect(hello, self.version))
                self.welcome = await self._welcomed
        except (OSError, TimeoutError, Unavailable) as error:
            raise BrokerTrouble(f"the broker does not answer: {error!r}") from error
        if self.welcome.code in OTHER_VERSION:
            raise OtherVersion(f"the broker does not speak version {self.version} of MQTT")
        if self.welcome.code:
            raise BrokerTrouble(f"the broker refuses us: code {self.welcome.code:#x}")
        self._beat_every = hello.keep_alive / 2
        self._beat()

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for these, with QoS 1. BrokerTrouble when one of them is refused."""
        if filters:
            codes = await self._asked(lambda number: packets.subscribe(number, filters, self.version))
            refused = [wanted for wanted, code in zip(filters, codes, strict=False) if code >= REFUSED]
            if refused:
                raise BrokerTrouble(f"the broker does not let us subscribe to {refused}")

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ask for these no longer."""
        await self._asked(lambda number: packets.unsubscribe(number, filters, self.version))

    async def ping(self) -> None:
        """Returns when the broker has answered, and with that has sent what it could send before."""
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pings.append(pong)
        self._flush()
        self._send(packets.PINGREQ)
        await self._answer(pong)

    def acknowledge(self, packet_id: int) -> None:
        """The message is on disk. Those of the same moment go out together."""
        if not self._acknowledged:
            asyncio.get_running_loop().call_soon(self._flush)
        self._acknowledged.append(packets.acknowledgement(packet_id))

    def _flush(self) -> None:
        """Send the acknowledgements now."""
        acknowledged, self._acknowledged = self._acknowledged, []
        self._send(b"".join(acknowledged))

    def pause(self) -> None:
        """Read no more: the broker keeps what it has."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        self._paused, self._heard = False, True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._take)

    async def leave(self) -> None:
        """Say goodbye; the session stays at the broker."""
        self._flush()
        self._send(packets.DISCONNECT)
        self._left = True
        if self._transport is not None:
            self._transport.close()
            await asyncio.wait([self.closed], timeout=GOODBYE_SECONDS)

    def abort(self) -> None:
        """Be gone, without another word."""
        self._acknowledged.clear()
        if self._transport is not None and not self._left:
            self._transport.abort()
        self._end("we left")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's do not inherit from it

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._heard = True
        self._buffer += data
        self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end("the broker ended the connection" if exc is None else f"the connection broke: {exc!r}")

    def _take(self) -> None:
        try:
            self._take_all()
        except (Malformed, IndexError) as error:
            self._end(f"the broker sent what is not MQTT: {error}")
            self.abort()

    def _take_all(self) -> None:
        start = 0
        try:
            while not self._paused and (found := packets.framed(self._buffer, start)) is not None:
                first, begin, start = found
                self._took(first, bytes(self._buffer[begin:start]))
        finally:
            del self._buffer[:start]

    def _took(self, first: int, body: bytes) -> None:
        match first >> 4:
            case Kind.PUBLISH:
                self.deliver(packets.published(first, body, self.version))
            case Kind.CONNACK:
                _answer(self._welcomed, packets.welcome(body, self.version))
            case Kind.SUBACK | Kind.UNSUBACK:
                number, codes = packets.answered(body, self.version)
                _answer(self._answers.pop(number, None), codes)
            case Kind.PINGRESP:
                _answer(self._pings.popleft() if self._pings else None, None)
            case Kind.DISCONNECT:
                self._end(f"the broker sent us away: code {body[0] if body else 0:#x}")
            case _:
                raise Malformed(f"a packet of type {first >> 4}")

    async def _asked(self, packet_of: Callable[[int], bytes]) -> bytes:
        self._last_id = self._last_id % 0xFFFF + 1
        answer = self._answers[self._last_id] = asyncio.get_running_loop().create_future()
        self._send(packet_of(self._last_id))
        return await self._answer(answer)

    async def _answer(self, answer: "asyncio.Future[T]") -> T:
        """The answer. BrokerTrouble when none comes while we read, or the connection ends first."""
        while True:
            paused = self._paused
            awaited: list[asyncio.Future[Any]] = [answer, self.closed]
            await asyncio.wait(awaited, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() or self.closed.done() or not paused:
                break
        if not answer.done():
            raise BrokerTrouble(self.closed.result() if self.closed.done() else "the broker does not answer")
        return answer.result()

    def _end(self, why: str) -> None:
        if not self.closed.done():
            self.closed.set_result(why)
        if not self._welcomed.done():
            self._welcomed.set_exception(BrokerTrouble(why))
            self._welcomed.exception()  # whoever waited for it may be gone
        if self._beating is not None:
            self._beating.cancel()

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _beat(self) -> None:
        """Twice in each keep-alive: we are there; is the broker? It is not asked while we do not read."""
        if not self._paused and not self._heard:
            self._end("the broker is silent")
            self.abort()
            return
        self._heard = False
        self._pings.append(None)
        self._send(packets.PINGREQ)
        self._beating = asyncio.get_running_loop().call_later(self._beat_every, self._beat)


def _answer(asked: "asyncio.Future[T] | None", answer: T) -> None:
    if asked is not None and not asked.done():
        asked.set_result(answer)
