"""Telemetry: vital signs, logs and readings that devices send."""

from core.telemetry.dropped import DroppedSummaries
from core.telemetry.lines import MOST_LINES, LogBatch, LogLine, batch_of
from core.telemetry.logs import LOGS_STORED, Logs
from core.telemetry.metrics import METRICS_STORED, Condition, Metrics
from core.telemetry.model import (
    DATA_READ,
    MOST_LOGS,
    MOST_METRICS,
    MOST_ROWS,
    DroppedSummary,
    LogQuery,
    LogReceipt,
    Period,
    Position,
    ReadingQuery,
    Sample,
    Span,
    StoredLine,
    StoredReading,
)
from core.telemetry.payloads import Reading, ReadingKind, readings_of
from core.telemetry.ports import Ageing, DroppedSummaryStore, LogStore, MetricStore, ReadingStore, Storage, VitalsStore
from core.telemetry.readings import Readings
from core.telemetry.retention import Keeping, Retention
from core.telemetry.room import NO_ROOM, Room
from core.telemetry.space import Space
from core.telemetry.vitals import Vitals, vitals_of

__all__ = [
    "DATA_READ",
    "LOGS_STORED",
    "METRICS_STORED",
    "MOST_LINES",
    "MOST_LOGS",
    "MOST_METRICS",
    "MOST_ROWS",
    "NO_ROOM",
    "Ageing",
    "Condition",
    "DroppedSummaries",
    "DroppedSummary",
    "DroppedSummaryStore",
    "Keeping",
    "LogBatch",
    "LogLine",
    "LogQuery",
    "LogReceipt",
    "LogStore",
    "Logs",
    "MetricStore",
    "Metrics",
    "Period",
    "Position",
    "Reading",
    "ReadingKind",
    "ReadingQuery",
    "ReadingStore",
    "Readings",
    "Retention",
    "Room",
    "Sample",
    "Space",
    "Span",
    "Storage",
    "StoredLine",
    "StoredReading",
    "Vitals",
    "VitalsStore",
    "batch_of",
    "readings_of",
    "vitals_of",
]
