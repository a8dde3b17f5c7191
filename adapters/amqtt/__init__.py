"""The broker that runs inside this process, on amqtt's packet classes (contrib/decisions/0003-embedded-broker.md)."""

from adapters.amqtt.broker import EmbeddedBroker
from adapters.amqtt.limits import Limits
from adapters.amqtt.wires import WebSocketLike

__all__ = ["EmbeddedBroker", "Limits", "WebSocketLike"]
