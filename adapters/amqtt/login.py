"""From the first byte of a connection to its session."""

import asyncio
import logging
import secrets

from attrs import frozen

from adapters.amqtt.codec import Connect, UnknownVersion, Will, decode_connect
from adapters.amqtt.framer import Framer, Malformed
from adapters.amqtt.interior import Interior
from adapters.amqtt.kinds import CONNECT
from adapters.amqtt.questions import Questions
from adapters.amqtt.sessions import BAD_CREDENTIALS, IDENTIFIER_REJECTED, SERVER_UNAVAILABLE, Refused
from adapters.amqtt.wires import Wire
from core.errors import Invalid
from core.mqtt import is_plain, may_be_called, topic_name

log = logging.getLogger(__name__)

UNKNOWN_VERSION = 1


@frozen(kw_only=True)
class Login:
    """A client that is who it says it is."""

    username: str
    client_id: str
    clean: bool
    keep_alive: int
    will: Will | None
    questions: Questions


async def first_packet(wire: Wire, framer: Framer, interior: Interior) -> Connect:
    """The CONNECT that must come first, soon and short. Raises Malformed, Refused, TimeoutError, ConnectionError."""
    async with asyncio.timeout(interior.limits.connect_seconds):
        while True:
            # By its first byte, so that other protocols need not wait for us to miss the rest.
            if framer.next_byte not in {None, CONNECT << 4}:
                raise Malformed("the first packet is no CONNECT")
            for _, flags, body in framer.packets():
                return _decoded(flags, body)
            chunk = await wire.receive()
            if not chunk:
                raise ConnectionResetError
            interior.counters.bytes_in += len(chunk)
            framer.feed(chunk)


async def authenticated(connect: Connect, interior: Interior) -> Login:
    """Who this is; nothing of the broker has been touched for it. Raises Refused and Malformed."""
    username, client_id = _names(connect, interior)
    questions = interior.questions(username, client_id)
    try:
        authentic = await questions.authentic(connect.password or "")
    except Exception as error:
        log.exception("nobody could say whether it is %r", username)
        raise Refused(SERVER_UNAVAILABLE) from error
    if not authentic:
        raise Refused(BAD_CREDENTIALS)
    return Login(
        username=username,
        client_id=client_id,
        clean=connect.clean,
        keep_alive=connect.keep_alive,
        will=_checked(connect.will),
        questions=questions,
    )


def _decoded(flags: int, body: bytes) -> Connect:
    try:
        return decode_connect(flags, body)
    except UnknownVersion as error:
        raise Refused(UNKNOWN_VERSION) from error


def _names(connect: Connect, interior: Interior) -> tuple[str, str]:
    username = connect.username or ""
    longest = interior.limits.longest_name
    if not connect.client_id and not connect.clean:
        raise Refused(IDENTIFIER_REJECTED)  # §3.1.3.1
    client_id = connect.client_id or f"auto-{secrets.token_hex(16)}"
    if len(client_id) > longest or not is_plain(client_id):
        raise Refused(IDENTIFIER_REJECTED)
    plain = 0 < len(username) <= longest and is_plain(username)
    if not plain or not may_be_called(username, client_id):
        raise Refused(BAD_CREDENTIALS)
    return username, client_id


def _checked(will: Will | None) -> Will | None:
    if will is not None:
        try:
            topic_name(will.topic)
        except Invalid as error:
            raise Malformed(error.message) from error
    return will
