"""Single topics of the MQTT monitor: schemas, activity, and what was saved of them (contract §4.16)."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from core.monitoring import (
    MOST_SHOWN,
    Activity,
    ActivityWindow,
    MessageType,
    MonitorStatus,
    TopicRecord,
    TopicView,
)
from core.services import Services
from entrypoints.http.declarations import QueryParameter, integer, word
from entrypoints.http.requests import Query, actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Handler

LONGEST_LOOK_BACK = 60
WINDOW = word("window", "Of the last 5, 15, 30 or 60 minutes", ActivityWindow)
LIMIT = integer("limit", "How many at most", default=MOST_SHOWN, lowest=1, highest=MOST_SHOWN)

Answered = tuple[str, Handler, str, tuple[QueryParameter, ...]]


class TopicRoutes:
    """Handlers. A topic is named as it is, slashes and all, or by its id."""

    def __init__(self, services: Services) -> None:
        self._monitor = services.mqtt_monitor
        self._archive = services.topic_archive

    async def schema(self, request: web.Request) -> web.Response:
        """What the messages of a topic look like."""
        topic = self._monitor.topic(actor_of(request), request.match_info["topic"])
        told = topic_as_json(topic)
        return json({"success": True, "topic": topic.name, "schema": topic.schema, "data": told})

    async def recent_activity(self, request: web.Request) -> web.Response:
        """The topics on which something came lately."""
        window = _window_of(request)
        busy = self._monitor.activity(actor_of(request), window.minutes)
        told = [_activity_as_json(activity, window) for activity in busy]
        return json({"success": True, "window": window.minutes, "count": len(told), "data": told})

    async def activity_of(self, request: web.Request) -> web.Response:
        """What came lately on one topic."""
        window = _window_of(request)
        activity = self._monitor.activity_of(actor_of(request), request.match_info["topic"], window.minutes)
        return json({"success": True, "window": window.minutes, "data": _activity_as_json(activity, window)})

    async def saved_topics(self, request: web.Request) -> web.Response:
        """What was saved."""
        limit = Query(request).integer("limit", default=MOST_SHOWN, lowest=1, highest=MOST_SHOWN)
        records = await self._archive.topics(actor_of(request), limit)
        return json({"success": True, "count": len(records), "data": [_record_as_json(each) for each in records]})

    async def saved_summary(self, request: web.Request) -> web.Response:
        """What was saved in all."""
        summary = await self._archive.summary(actor_of(request))
        told = {
            "totalTopics": summary.topics,
            "totalMessages": summary.messages,
            "totalBytes": summary.size,
            "topicsWithSchema": summary.schemas,
            "byType": summary.types,
            "firstSeen": summary.first_at,
            "lastSeen": summary.last_at,
        }
        return json({"success": True, "data": told})

    async def schema_history(self, request: web.Request) -> web.Response:
        """How the messages of a topic changed, newest first."""
        topic = request.match_info["topic"]
        changes = await self._archive.history(actor_of(request), topic)
        told = [{"schema": change.schema, "changedAt": change.at} for change in changes]
        return json({"success": True, "topic": topic, "count": len(told), "data": told})

    def answered(self) -> Sequence[Answered]:
        """Paths, handlers, summaries and what the query takes."""
        look, lately = "What the messages of a topic look like", "What came lately on a topic"
        return [
            ("/topics/by-id/{topic}/schema", self.schema, look + ", by its id", ()),
            ("/topics/by-id/{topic}/recent-activity", self.activity_of, lately + ", by its id", (WINDOW,)),
            ("/topics/{topic:.+}/schema", self.schema, look, ()),
            ("/topics/{topic:.+}/recent-activity", self.activity_of, lately, (WINDOW,)),
            ("/recent-activity", self.recent_activity, "The busiest topics of the last minutes", (WINDOW,)),
            ("/database/topics", self.saved_topics, "Topics that were saved", (LIMIT,)),
            ("/database/stats/summary", self.saved_summary, "What was saved of topics in all", ()),
            ("/database/schema-history/{topic:.+}", self.schema_history, "How the messages of a topic changed", ()),
        ]


def topic_as_json(topic: TopicView) -> dict[str, Any]:
    """A topic with its latest message: an element of the channel `mqtt-topics`."""
    sample = topic.sample
    told = {
        "id": topic.id,
        "topic": topic.name,
        "deviceUuid": topic.device_uuid,
        "messageCount": topic.messages,
        "bytesReceived": topic.size,
        "lastMessage": sample.text,
        "messageType": sample.type.value,
        "truncated": sample.truncated,
        "schema": topic.schema,
        "firstSeen": topic.first_at,
        "lastActivity": topic.last_at,
    }
    return told if sample.type is not MessageType.BINARY else told | {"lastMessageEncoding": "base64"}


def status_as_json(status: MonitorStatus) -> dict[str, Any]:
    """How the monitor is doing."""
    return {
        "running": status.running,
        "since": status.since,
        "topicCount": status.topics,
        "messageCount": status.messages,
        "bytesReceived": status.size,
    }


def _window_of(request: web.Request) -> ActivityWindow:
    return Query(request).word("window", ActivityWindow) or ActivityWindow.FIFTEEN


def _activity_as_json(activity: Activity, window: ActivityWindow) -> dict[str, Any]:
    return {
        "id": activity.topic.id,
        "topic": activity.topic.name,
        "messageCount": activity.messages,
        "messageRate": round(activity.messages / (window.minutes * 60), 4),
        "perMinute": activity.minutes,
        "lastActivity": activity.topic.last_at,
    }


def _record_as_json(record: TopicRecord) -> dict[str, Any]:
    return {
        "topic": record.name,
        "deviceUuid": record.device_uuid,
        "messageCount": record.messages,
        "bytesReceived": record.size,
        "messageType": record.type.value,
        "schema": record.schema,
        "firstSeen": record.first_at,
        "lastActivity": record.last_at,
    }
