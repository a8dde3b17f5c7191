"""What Mosquitto tells of itself below `$SYS/broker` (mosquitto(8), "Broker status")."""

from typing import Final

from attrs import define, field

from core.mqtt import BrokerStatistics

ROOT = "$SYS/broker/"
_COUNTS: Final = {
    "clients/connected": "clients_connected",
    "clients/total": "sessions",
    "subscriptions/count": "subscriptions",
    "retained messages/count": "retained",
    "store/messages/bytes": "queued_bytes",
    "publish/messages/received": "messages_in",
    "publish/messages/sent": "messages_out",
    "publish/messages/dropped": "messages_dropped",
    "bytes/received": "bytes_in",
    "bytes/sent": "bytes_out",
}
SYS_TOPICS = tuple(ROOT + name for name in _COUNTS)


@define
class BrokerCounts:
    """The last number of each kind. What a broker does not tell stays at nothing."""

    _known: dict[str, int] = field(factory=dict)

    def heard(self, topic: str, payload: bytes) -> None:
        """The broker has told a number."""
        name = _COUNTS.get(topic.removeprefix(ROOT))
        if name is not None and payload.isdigit():
            self._known[name] = int(payload)

    def statistics(self) -> BrokerStatistics:
        """All of them."""
        return BrokerStatistics(**self._known)
