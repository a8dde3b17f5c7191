"""The last message of each topic that was published with RETAIN (MQTT 3.1.1 §3.3.1.3)."""

from collections import Counter

from adapters.amqtt.limits import Limits
from adapters.amqtt.trie import Trie
from core.mqtt import Message


class Retained:
    """Retained messages by topic, bounded in all and for each user."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._messages: Trie[None, Message] = Trie()
        self._size = 0
        self._of_user: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._messages)

    def keep(self, message: Message) -> bool:
        """Keep this instead of what the topic had; an empty payload clears. False when there is no room for it."""
        self.forget(message.topic)
        if not message.payload:
            return True
        if not self._has_room(message):
            return False
        self._messages.put(message.topic, None, message)
        self._size += _size(message)
        self._of_user[message.username] += 1
        return True

    def forget(self, topic: str) -> None:
        """Clear one topic."""
        message = self._messages.pop(topic, None)
        if message is not None:
            self._size -= _size(message)
            self._of_user[message.username] -= 1
            if not self._of_user[message.username]:
                del self._of_user[message.username]

    def get(self, topic: str) -> Message | None:
        """What the topic has now."""
        return self._messages.get(topic, None)

    def matching(self, topic_filter: str) -> list[Message]:
        """What a new subscription gets."""
        return [message for _, message in self._messages.matched_by(topic_filter)]

    def _has_room(self, message: Message) -> bool:
        limits = self._limits
        return (
            len(self._messages) < limits.retained
            and self._size + _size(message) <= limits.retained_bytes
            # What we publish ourselves is not counted: no username.
            and (not message.username or self._of_user[message.username] < limits.retained_per_user)
        )


def _size(message: Message) -> int:
    return len(message.topic) + len(message.payload)
