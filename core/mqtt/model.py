"""What the broker and the use cases tell each other."""

from enum import IntFlag

from attrs import frozen


class Access(IntFlag):
    """What a rule grants, and what a broker asks for: exactly one of them at a time."""

    READ = 1  # a message is about to be delivered to the client
    WRITE = 2  # the client publishes, or its will is published for it
    SUBSCRIBE = 4  # the client asks for a filter


ASKABLE = frozenset({Access.READ, Access.WRITE, Access.SUBSCRIBE})


@frozen(kw_only=True)
class Message:
    """A message as it was published. `username` is empty when we published it ourselves."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    username: str = ""
    client_id: str = ""


@frozen(kw_only=True)
class BrokerStatistics:
    """How a broker is doing. Messages and bytes are counted since it started."""

    clients_connected: int = 0
    sessions: int = 0
    subscriptions: int = 0
    retained: int = 0
    queued_bytes: int = 0
    messages_in: int = 0
    messages_out: int = 0
    messages_dropped: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
