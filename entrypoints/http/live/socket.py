"""The WebSocket of contract §5."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from core.clock import Clock
from core.errors import Invalid, Refusal, Unauthenticated
from entrypoints.http.live.channels import Key
from entrypoints.http.live.credentials import BEARER
from entrypoints.http.live.visitors import LEFT, Ending, Visitor

LARGEST_MESSAGE = 4096
INTRODUCTION_SECONDS = 5.0
# A reader that takes nothing for so long is gone, or as good as gone.
SEND_SECONDS = 20.0
PING_SECONDS = 30.0
CLOSE_SECONDS = 2.0
# Messages at once, and each second after that.
BURST, PER_SECOND = 60, 10
TOO_MANY_MESSAGES = 1008
# RFC 6455 §5.5: a control frame has 125 bytes at most, two of them are the code.
LONGEST_REASON = 123

_encoder = msgspec.json.Encoder()


class Command(msgspec.Struct, rename="camel"):
    """What a client says."""

    type: str
    channel: str = ""
    service_name: str | None = None
    token: str = ""


def websocket() -> web.WebSocketResponse:
    """A socket with our bounds, not yet opened. No compression: its buffers cost more than a connection may."""
    return web.WebSocketResponse(
        protocols=(BEARER,),
        max_msg_size=LARGEST_MESSAGE,
        heartbeat=PING_SECONDS,
        timeout=CLOSE_SECONDS,
        compress=False,
    )


def encoded(clock: Clock, key: Key, data: Mapping[str, Any], _position: int) -> bytes:
    """What a channel has to tell, as a message."""
    message: dict[str, Any] = {"type": key.channel, "data": data, "timestamp": clock.now()}
    if key.device is not None:
        message["deviceUuid"] = key.device
    if key.service is not None:
        message["serviceName"] = key.service
    return _encoder.encode(message)


class Conversation:
    """With one client, from the moment when it is known who it is."""

    def __init__(self, socket: web.WebSocketResponse, visitor: Visitor, clock: Clock) -> None:
        self._socket = socket
        self._visitor = visitor
        self._allowance = Allowance(clock)

    async def listen(self) -> None:
        """Do what the client says, until it leaves."""
        self._say(type="connected", message="connected: subscribe to a channel")
        while True:
            message = await self._socket.receive()
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                return self._visitor.end(LEFT, "")
            if not self._allowance.take():
                return self._visitor.end(TOO_MANY_MESSAGES, "too many messages")
            try:
                await self._obey(command_of(message))
            except Refusal as refusal:
                self._say(type="error", message=refusal.message)

    async def speak(self) -> None:
        """Send what waits; returns when the client does not take it."""
        with suppress(TimeoutError, ConnectionError):
            while True:
                message = await self._visitor.mailbox.next()
                async with asyncio.timeout(SEND_SECONDS):
                    await self._socket.send_str(message.decode())

    async def _obey(self, command: Command) -> None:
        if command.type == "ping":
            self._say(type="pong")
        elif command.type == "subscribe":
            subscription = self._visitor.admit(command.channel, command.service_name)
            self._say(type="subscribed", channel=command.channel)
            if subscription is not None:
                await self._visitor.begin(subscription)
        elif command.type == "unsubscribe":
            self._visitor.unsubscribe(command.channel, command.service_name)
            self._say(type="unsubscribed", channel=command.channel)
        elif command.type != "auth":  # whoever is known already may say so again
            raise Invalid("type must be subscribe, unsubscribe or ping", field="type")

    def _say(self, **message: Any) -> None:
        if self._visitor.device is not None:
            message["deviceUuid"] = self._visitor.device
        self._visitor.mailbox.put(_encoder.encode(message))


class Allowance:
    """How much a client may say."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock.monotonic()

    def take(self) -> bool:
        """Whether one more message is within bounds."""
        now = self._clock.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def command_of(message: WSMessage) -> Command:
    """What the client says. Raises Invalid."""
    if message.type is not WSMsgType.TEXT:
        raise Invalid("send JSON as text")
    try:
        return msgspec.json.decode(message.data, type=Command)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid("send JSON: an object with a type") from error


async def token_from(socket: web.WebSocketResponse, *, patience: float = INTRODUCTION_SECONDS) -> str:
    """The access token in the first message. Raises Unauthenticated when there is none in so many seconds."""
    try:
        async with asyncio.timeout(patience):
            command = command_of(await socket.receive())
    except (TimeoutError, Invalid) as error:
        raise Unauthenticated("say who you are first") from error
    if command.type != "auth" or not command.token:
        raise Unauthenticated("say who you are first")
    return command.token


async def close(request: web.Request, socket: web.WebSocketResponse, ending: Ending) -> None:
    """Say goodbye, and cut the line where nobody listens."""
    try:
        async with asyncio.timeout(2 * CLOSE_SECONDS):
            await socket.close(code=ending.code, message=ending.reason.encode()[:LONGEST_REASON])
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
