"""One connection, from its first byte to its will."""

import asyncio
import logging

from adapters.amqtt.codec import encode_connack
from adapters.amqtt.conversation import Conversation
from adapters.amqtt.door import Place
from adapters.amqtt.framer import Framer, Malformed
from adapters.amqtt.intake import Intake
from adapters.amqtt.interior import Interior
from adapters.amqtt.login import Login, authenticated, first_packet
from adapters.amqtt.questions import Questions
from adapters.amqtt.replay import Replay
from adapters.amqtt.sessions import Refused, Session
from adapters.amqtt.silence import Silence, permitted_silence
from adapters.amqtt.wires import Wire
from core.mqtt import Access, Message

log = logging.getLogger(__name__)


class Connection:
    """Logs a client in, listens to it, and cleans up after it whatever happens."""

    def __init__(self, interior: Interior, wire: Wire, place: Place) -> None:
        self.left = asyncio.Event()
        self.login: Login | None = None
        self._interior = interior
        self._wire = wire
        self._place = place
        self._framer = Framer(interior.limits.connect_bytes)
        self._session: Session | None = None
        self._intake: Intake | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self._willing = False  # is the will to be published?

    async def run(self) -> None:
        """Serve the client until one of us ends it."""
        self._task = asyncio.create_task(self._serve())
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._ended:
                raise
        except Refused as refused:
            log.info("%s: refused with return code %d", self._wire.address, refused.return_code)
            self._wire.send(encode_connack(refused.return_code))
        except (Malformed, TimeoutError, OSError) as error:
            log.info("%s: %s", self._wire.address, str(error) or type(error).__name__)
        except Exception:
            log.exception("%s: the connection failed", self._wire.address)
        finally:
            await self._leave()

    def cut(self) -> None:
        """Close now, as if the network had failed."""
        self._wire.abort()
        self._end()

    def revoke(self) -> None:
        """Close now, without the will."""
        self._willing = False
        self.cut()

    def stop(self) -> None:
        """Listen no more; what has come is still stored and acknowledged. No will: it is we who go."""
        self._willing = False
        self._end()

    def _end(self) -> None:
        self._ended = True
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        connect = await first_packet(self._wire, self._framer, self._interior)
        username = connect.username or ""
        entering = self._interior.logging_in.setdefault(username, set())
        entering.add(self)
        try:
            login = await authenticated(connect, self._interior)
            session, present = await self._interior.sessions.claim(
                login.questions, login.client_id, login.username, clean=login.clean, holder=self
            )
        finally:
            entering.discard(self)
            if not entering:
                self._interior.logging_in.pop(username, None)
        self.login, self._session, self._willing = login, session, login.will is not None
        await self._converse(login, session, present=present)

    async def _converse(self, login: Login, session: Session, *, present: bool) -> None:
        interior, wire = self._interior, self._wire
        self._place.recognised()
        self._framer.largest = interior.limits.packet_bytes
        intake = self._intake = Intake(interior, session.unreleased, wire.send, self.cut)
        silence = Silence(
            permitted_silence(login.keep_alive, interior.limits.longest_silence),
            cut=self.cut,
            busy=lambda: intake.waiting,
        )
        replay = Replay(interior, session)
        try:
            if present:
                await interior.sessions.recheck(session)
            wire.send(encode_connack(0, session_present=present))
            session.outbox.attach(wire)
            self._listen(session)
            conversation = Conversation(interior, wire, session, intake=intake, replay=replay, silence=silence)
            if await conversation.until_goodbye(self._framer, login):
                self._willing = False
        finally:
            silence.stop()
            replay.stop()

    def _listen(self, session: Session) -> None:
        """Subscribe for a client that may have forgotten to. Its own subscription takes the place of ours."""
        for topic in self._interior.gatekeeper.listens_to(session.username):
            if topic not in session.subscriptions:
                self._interior.sessions.subscribe(session, topic, 1)

    async def _leave(self) -> None:
        try:
            if self._session is not None:
                self._session.outbox.detach()
            if self._intake is not None:
                await self._intake.settled()
            await self._wire.close()
            await self._publish_will()
        finally:
            if self._session is not None:
                self._interior.sessions.release(self._session)
            self._place.leave()
            self.left.set()

    async def _publish_will(self) -> None:
        login, intake = self.login, self._intake
        if login is None or login.will is None or intake is None or not self._willing:
            return
        will = login.will
        # Asked anew: what was true at CONNECT need not be true now. amqtt publishes any will anywhere.
        permitted = not will.topic.startswith("$") and await self._fresh(login).permits(Access.WRITE, will.topic)
        if self._willing:
            intake.take(
                Message(
                    topic=will.topic,
                    payload=will.payload,
                    qos=will.qos,
                    retain=will.retain,
                    username=login.username,
                    client_id=login.client_id,
                ),
                permitted=permitted,
            )
            await intake.settled()

    def _fresh(self, login: Login) -> Questions:
        return self._interior.questions(login.username, login.client_id)
