"""History: every event there was, how devices were at some moment, and what changed between two."""

from core.history.comparison import MOST_CHANGES, Change, changes_between
from core.history.model import (
    MOST_EVENTS,
    PRIVATE_CATEGORIES,
    PROVISIONED,
    Bucket,
    EventQuery,
    HistoryEvent,
    Period,
    Tally,
    category_of,
    event_of,
    regrouped,
    wire_types,
)
from core.history.ports import EventStore
from core.history.replay import Comparison, ExplainedChange, Replay, Replays, Snapshot
from core.history.service import EVENTS_STORED, HISTORY_READ, HISTORY_READ_ALL, History
from core.history.settings import EVENT_RETENTION, MOST_BYTES, SETTINGS

__all__ = [
    "EVENTS_STORED",
    "EVENT_RETENTION",
    "HISTORY_READ",
    "HISTORY_READ_ALL",
    "MOST_BYTES",
    "MOST_CHANGES",
    "MOST_EVENTS",
    "PRIVATE_CATEGORIES",
    "PROVISIONED",
    "SETTINGS",
    "Bucket",
    "Change",
    "Comparison",
    "EventQuery",
    "EventStore",
    "ExplainedChange",
    "History",
    "HistoryEvent",
    "Period",
    "Replay",
    "Replays",
    "Snapshot",
    "Tally",
    "category_of",
    "changes_between",
    "event_of",
    "regrouped",
    "wire_types",
]
