"""What a broker needs from us, and what we need from a broker."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.ids import DeviceUuid
from core.mqtt.account import MqttAccount
from core.mqtt.definition import BrokerDefinition, BrokerId, ProbeOutcome
from core.mqtt.model import Access, BrokerStatistics, Message
from core.mqtt.user import AclRow, MqttAclId, MqttUser, MqttUserId
from core.pages import Page
from core.transactions import Transaction


class Gatekeeper(Protocol):
    """Whom the broker asks before it lets anybody do anything. Whatever is raised counts as a denial."""

    async def authenticate(self, *, username: str, password: str, client_id: str) -> bool:
        """Is this the user? Asked once per connection, before any session is touched (MQTT 3.1.1 §3.1.4).

        False refuses the connection with return code 4; the same answer, and as late, whatever was wrong. Raising
        refuses it with return code 3: the client may try again. An answer that takes longer than 10 seconds counts as
        raised.
        """

    async def permits(self, *, username: str, client_id: str, topic: str, access: Access) -> bool:
        """May the client do this one thing? `topic` is a filter when `access` is SUBSCRIBE, else a topic name.

        WRITE is asked when a message arrives and when a will is published, READ before each delivery, retained and
        queued ones included, and SUBSCRIBE again when a durable session is resumed. Answers are kept for as long as
        the connection lasts: after taking a right away, call `Broker.disconnect`. What is raised denies this once.
        """

    def listens_to(self, username: str) -> Sequence[str]:
        """The topics that the user hears without subscribing to them, as soon as it has connected. Must be cheap.

        Agents do not subscribe again after a reconnect, and then hear nothing (wire contract §3.6).
        """

    def seen(self, username: str) -> None:
        """The user has sent something: a CONNECT that was accepted, a message, a ping. Must be cheap; no answer."""


class Inbox(Protocol):
    """Where messages from devices become use cases."""

    def wants(self, topic: str) -> bool:
        """Is `receive` to be called with messages on this topic? Asked for each message: must be cheap."""

    async def receive(self, message: Message) -> None:
        """Store the message; returns once it is durable, and only then is it acknowledged (QoS 1 and 2).

        Called in the order of arrival for each client, but not one by one: up to 64 calls of one client are under way
        at a time, and the order in which they return does not matter. Raises Unavailable when the message could not be
        stored: the connection is then closed without an acknowledgement, so that the client sends it again. A message
        that can never be stored must therefore be logged and swallowed, not raised about.
        """


class MessageObserver(Protocol):
    """Who is told of every message that the broker hands on."""

    def saw(self, message: Message) -> None:
        """A message has passed: one that its sender may publish, stored if a use case wants it, or one of our own.

        Called in the midst of the broker's work: must take microseconds, keep little, and not raise.
        """


class Broker(Protocol):
    """What the use cases need from whichever broker carries the messages."""

    @property
    def cuts_at_once(self) -> bool:
        """Whether `disconnect` is done before anybody can come again: true where the broker is in this process.

        Elsewhere a session that is cut because its password was replaced could be the one with the new password.
        """

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Hand the message to everybody who subscribed and may read it; returns before they have it.

        Raises Invalid for a topic that cannot be published to, and Unavailable when the broker does not work.
        """

    async def disconnect(self, username: str) -> None:
        """Cut every session of this user now, without its will, and forget its durable sessions and queued messages.

        To be called after the user has been revoked or lost a right. Messages that had arrived before are still stored.
        """

    async def forget_retained(self, topic_filter: str) -> None:
        """Forget the retained messages whose topics the filter matches. Raises Invalid for a malformed filter."""

    def statistics(self) -> BrokerStatistics:
        """How the broker is doing, as of now."""

    async def ping(self) -> None:
        """Returns when the broker works. Raises Unavailable when it does not."""


class MqttAccountStore(Protocol):
    """Remembers the accounts of the broker. tests/contracts/mqtt_account_store.py says exactly how."""

    async def put(self, tx: Transaction, account: MqttAccount, now: datetime) -> None:
        """Remember the account in place of the one of the same name."""

    async def get(self, tx: Transaction, username: str) -> MqttAccount:
        """The account; a device's is active only while the device is. NotFound if there is none."""


class PasswordsToHandOver(Protocol):
    """Keeps new passwords for a broker with accounts of its own, until that has them.

    tests/contracts/passwords_to_hand_over.py says exactly how.
    """

    async def keep(self, tx: Transaction, username: str, password: str) -> None:
        """Called in the transaction that gives the account its password: this one is to be handed over, no other."""

    async def waiting(self, tx: Transaction, usernames: Sequence[str]) -> Mapping[str, str]:
        """Passwords of these accounts that the broker does not have yet, by username."""

    async def handed_over(self, tx: Transaction, username: str, password: str) -> None:
        """The broker has this password; forget it, unless the account has another one by now."""


class MqttUserStore(Protocol):
    """Remembers the same accounts as people look after them. tests/contracts/mqtt_user_store.py says exactly how."""

    async def add(self, tx: Transaction, user: MqttUser, verifier: str) -> MqttUser:
        """Remember a new account with the bcrypt verifier of its password; it comes back with its number. Conflict."""

    async def page(self, tx: Transaction, *, limit: int, offset: int) -> Page[MqttUser]:
        """Some accounts, without their rows, and how many there are: those of people first, each sort by username."""

    async def get(self, tx: Transaction, user_id: MqttUserId, *, to_change: bool = False) -> MqttUser:
        """The account, without its rows. NotFound if there is none.

        `to_change`, within `begin()`, holds it until the end.
        """

    async def named(self, tx: Transaction, username: str) -> MqttUser | None:
        """The account of exactly this name, without its rows, or None."""

    async def save(self, tx: Transaction, user: MqttUser, verifier: str | None = None) -> None:
        """Replace what may change, and the verifier if another is given. NotFound."""

    async def remove(self, tx: Transaction, user_id: MqttUserId) -> None:
        """Forget the account and its rows; its number is never given again. NotFound if there is none."""


class MqttAclStore(Protocol):
    """Remembers the rights of accounts. tests/contracts/mqtt_acl_store.py says exactly how."""

    async def add(self, tx: Transaction, row: AclRow) -> AclRow:
        """Remember a new row; it comes back with its number. Conflict if the account has one that says the same."""

    async def get(self, tx: Transaction, acl_id: MqttAclId, *, to_change: bool = False) -> AclRow:
        """The row. `to_change`, within `begin()`, holds it until the end. NotFound if there is none."""

    async def of(self, tx: Transaction, usernames: Sequence[str]) -> Sequence[AclRow]:
        """The rows of these accounts, in the order in which they were added."""

    async def save(self, tx: Transaction, row: AclRow) -> None:
        """Replace the row of this number. Conflict if the account has another that says the same; NotFound."""

    async def remove(self, tx: Transaction, acl_id: MqttAclId) -> None:
        """Forget the row. NotFound if there is none."""


class AssignmentStore(Protocol):
    """Remembers which device is to use which broker. tests/contracts/assignment_store.py says exactly how."""

    async def put(self, tx: Transaction, uuid: DeviceUuid, broker_id: BrokerId | None, now: datetime) -> None:
        """Let the device use this broker, or with None the usual one. NotFound if there is no such device."""

    async def of(self, tx: Transaction, uuid: DeviceUuid) -> BrokerId | None:
        """The broker of the device, or None for the usual one."""

    async def counts(self, tx: Transaction) -> Mapping[BrokerId, int]:
        """How many devices are assigned to each broker that has any."""

    async def forget(self, tx: Transaction, broker_id: BrokerId) -> None:
        """Let the devices of this broker use the usual one."""


class BrokerProbe(Protocol):
    """Tries whether a broker can be used as it is defined."""

    async def probe(self, broker: BrokerDefinition) -> ProbeOutcome:
        """Connect to its host and port, log in, and leave; within seconds, and without raising.

        Connects to no address that `core.mqtt.targets` refuses, whatever the name resolves to by then, follows no
        redirect, and tells nothing of what came back but what the outcome says.
        """


class SetAside(Protocol):
    """Keeps messages that were acknowledged although a bug of ours kept us from understanding them."""

    async def keep(self, tx: Transaction, uuid: DeviceUuid, message: Message, reason: str, now: datetime) -> None:
        """Remember the message as it came, until it is too old."""
