"""The channels that are of no device."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.actor import SYSTEM
from core.history import EVENTS_STORED
from core.services import Services
from entrypoints.http.live.channels import Channel, Item, Key, microseconds, newest
from entrypoints.http.live.devices import events, read_events
from entrypoints.http.mqtt_metrics import report_as_json

STATISTICS_SECONDS = 5.0
TOPICS_SECONDS = 10.0
MOST_TOPICS = 200
LONGEST_MESSAGE = 1024


def global_channels(services: Services) -> Mapping[str, Channel]:
    """All of them, by name."""

    async def statistics(_key: Key, _after: int | None) -> Sequence[Item]:
        report = await services.mqtt_statistics.report(SYSTEM)
        return [Item(microseconds(services.clock.now()), report_as_json(report))]

    async def topics(_key: Key, _after: int | None) -> Sequence[Item]:
        found = services.mqtt_monitor.topics(SYSTEM, limit=MOST_TOPICS)
        listed: list[Mapping[str, Any]] = [
            {
                "topic": topic.name,
                "messageCount": topic.messages,
                "lastMessage": topic.sample.text[:LONGEST_MESSAGE],
                "lastActivity": topic.last_at,
            }
            for topic in found
        ]
        return [Item(microseconds(services.clock.now()), {"topics": listed, "count": len(listed)})]

    async def happened(_key: Key, after: int | None) -> Sequence[Item]:
        return await read_events(services, None, after)

    channels = [
        Channel(name="mqtt-stats", read=statistics, shape=newest, every=STATISTICS_SECONDS),
        Channel(name="mqtt-topics", read=topics, shape=newest, every=TOPICS_SECONDS),
        Channel(name="events", read=happened, shape=events, signals=(EVENTS_STORED,), resumes=True),
    ]
    return {channel.name: channel for channel in channels}
