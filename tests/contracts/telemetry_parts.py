"""Readings, lines and summaries to put into stores."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from core.devices import Device
from core.ids import DeviceUuid
from core.telemetry import DroppedSummary, LogLine, Reading, ReadingKind, Sample, Vitals

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def new_uuid() -> DeviceUuid:
    """The uuid of a device nobody knows yet."""
    return DeviceUuid(str(uuid4()))


def a_device() -> Device:
    """A device nobody knows yet."""
    return Device(uuid=new_uuid(), name="gateway", type="standalone", created_at=NOW, modified_at=NOW)


def a_sample(seconds: float = 0, *, late: bool = False, **vitals: Any) -> Sample:
    """A sample taken so many seconds before noon."""
    return Sample(recorded_at=NOW - timedelta(seconds=seconds), vitals=Vitals(**vitals), late=late)


def a_line(seconds: float = 0, **more: Any) -> LogLine:
    """A log line written so many seconds before noon."""
    line: dict[str, Any] = {
        "at": NOW - timedelta(seconds=seconds),
        "time_clamped": False,
        "level": "info",
        "message": "hello",
        "truncated": False,
        "source_type": "container",
        "source_name": "web",
        "service_name": "nginx",
        "service_id": 2,
        "container_id": "f77147bf9677",
        "is_system": False,
        "is_stderr": True,
        "context": {"component": "web", "tries": [1, None]},
    }
    return LogLine(**line | more)


def a_summary(seconds: float = 0, *, digest: bytes = b"1", **more: Any) -> DroppedSummary:
    """A summary of lines dropped so many seconds before noon."""
    summary: dict[str, Any] = {
        "digest": digest,
        "dropped_at": NOW - timedelta(seconds=seconds),
        "time_clamped": False,
        "reason": "retry_exhausted",
        "began_at": NOW - timedelta(hours=1),
        "ended_at": None,
        "total_count": 4,
        "estimated_bytes": 1636,
        "level_counts": {"error": 1, "info": 3},
        "service_counts": {"unknown": 4},
        "error_samples": [{"message": "Failed to poll target state"}],
        "warning_samples": [],
    }
    return DroppedSummary(**summary | more)


def a_reading(seconds: float = 0, *, digest: bytes = b"1", **more: Any) -> Reading:
    """A reading taken so many seconds before noon."""
    reading: dict[str, Any] = {
        "kind": ReadingKind.READING,
        "topic": "modbus",
        "at": NOW - timedelta(seconds=seconds),
        "time_clamped": False,
        "digest": digest,
        "sensor": "modbus1",
        "register": "temperature_1",
        "value": 26.5,
        "unit": "C",
        "quality": "GOOD",
    }
    return Reading(**reading | more)
