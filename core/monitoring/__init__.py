"""Monitoring of the broker: its statistics, the topics it carries, and what their messages look like."""

from core.monitoring.archive import TopicArchive
from core.monitoring.book import TopicBook
from core.monitoring.events import MonitorStarted, MonitorStopped
from core.monitoring.model import (
    DATA_READ,
    MOST_SHOWN,
    SETTINGS_WRITE,
    Activity,
    ActivityWindow,
    ArchiveSummary,
    MonitorStatus,
    SchemaChange,
    TimeWindow,
    TopicRecord,
    TopicView,
    Tree,
)
from core.monitoring.monitor import MqttMonitor
from core.monitoring.payloads import MessageType, Sample
from core.monitoring.ports import TopicStore
from core.monitoring.schema import Schema, merged, nodes_of, schema_of
from core.monitoring.settings import MONITOR_ENABLED, SETTINGS
from core.monitoring.statistics import BrokerReport, MqttStatistics

__all__ = [
    "DATA_READ",
    "MONITOR_ENABLED",
    "MOST_SHOWN",
    "SETTINGS",
    "SETTINGS_WRITE",
    "Activity",
    "ActivityWindow",
    "ArchiveSummary",
    "BrokerReport",
    "MessageType",
    "MonitorStarted",
    "MonitorStatus",
    "MonitorStopped",
    "MqttMonitor",
    "MqttStatistics",
    "Sample",
    "Schema",
    "SchemaChange",
    "TimeWindow",
    "TopicArchive",
    "TopicBook",
    "TopicRecord",
    "TopicStore",
    "TopicView",
    "Tree",
    "merged",
    "nodes_of",
    "schema_of",
]
