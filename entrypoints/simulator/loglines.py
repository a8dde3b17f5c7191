"""Log lines, and the summaries that say which were lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any

from entrypoints.simulator.moments import millis

LEVELS = ("info", "info", "info", "info", "warn", "error", "debug")
TEXTS = {
    "info": ("Target state is unchanged", "State report sent", "Reconciliation finished"),
    "warn": ("Sensor answered late", "Container restarted by the engine"),
    "error": ("Failed to read a register", "Health check failed"),
    "debug": ("Polling target state",),
}
COMPONENTS = ("CloudSync", "SensorPublish", "ContainerManager", "ConfigManager")
SAMPLES = 5
SAMPLE_LENGTH = 200

Line = Mapping[str, Any]


def line(chance: Random, uuid: str, mark: str, moment: datetime) -> dict[str, Any]:
    """One line of the agent's own log. The mark makes its message unlike any other of this device."""
    level = chance.choice(LEVELS)
    component = chance.choice(COMPONENTS)
    return {
        "timestamp": millis(moment),
        "level": level,
        "message": f"{chance.choice(TEXTS[level])} [{mark}]",
        "source": {"type": "system", "name": component},
        "isSystem": True,
        "deviceId": uuid,
        "context": {"component": component},
    }


def summary(lines: Sequence[Line], reason: str, moment: datetime) -> dict[str, Any]:
    """What is left of lines that could not be delivered. `reason` is the agent's own word for why."""
    counts = Counter(str(lost["level"]) for lost in lines)
    moments = [int(lost["timestamp"]) for lost in lines]
    return {
        "droppedAt": millis(moment),
        "timeRange": {"start": min(moments), "end": max(moments)},
        "totalCount": len(lines),
        "levelCounts": {level: counts[level] for level in ("error", "warn", "info", "debug")},
        "serviceCounts": {"unknown": len(lines)},
        "errorSamples": _samples(lines, "error"),
        "warningSamples": _samples(lines, "warn"),
        "estimatedBytes": sum(len(str(lost)) for lost in lines),
        "reason": reason,
    }


def _samples(lines: Sequence[Line], level: str) -> list[dict[str, Any]]:
    found = [lost for lost in lines if lost["level"] == level][:SAMPLES]
    return [
        {"timestamp": lost["timestamp"], "serviceName": "unknown", "message": str(lost["message"])[:SAMPLE_LENGTH]}
        for lost in found
    ]
