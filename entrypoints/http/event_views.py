"""Events and what is made of them, in the words of the dashboard (contract §4.20)."""

from collections.abc import Sequence
from typing import Any

from core.history import MOST_CHANGES, Comparison, HistoryEvent, Replay, Snapshot, Tally


def event_as_json(event: HistoryEvent) -> dict[str, Any]:
    """An event in the words of the dashboard; metadata has what we know beyond them."""
    return {
        "id": event.id,
        "event_id": str(event.id),
        "timestamp": event.at,
        "type": event.type,
        "category": event.category,
        "title": event.title,
        "description": event.description,
        "severity": event.severity,
        "actor": event.actor,
        "source": event.source,
        "device_uuid": event.device_uuid,
        "data": event.data,
        "metadata": {
            "name": event.name,
            "severity": event.severity,
            "actor": event.actor,
            "aggregateType": event.aggregate_type,
            "aggregateId": event.aggregate_id,
        },
        "correlation_id": event.correlation_id,
    }


def listed(found: Sequence[HistoryEvent]) -> dict[str, Any]:
    """Events, counted."""
    return {"count": len(found), "events": [event_as_json(event) for event in found]}


def summed(tallies: Sequence[Tally]) -> dict[str, Any]:
    """How often what happened, in several ways."""
    severities: dict[str, int] = {}
    categories: dict[str, int] = {}
    for tally in tallies:
        severities[tally.severity] = severities.get(tally.severity, 0) + tally.count
        categories[tally.category] = categories.get(tally.category, 0) + tally.count
    return {
        "total": sum(tally.count for tally in tallies),
        "by_severity": severities,
        "by_category": categories,
        "by_type": [
            {
                "event_type": tally.type,
                "category": tally.category,
                "severity": tally.severity,
                "count": tally.count,
                "first_at": tally.first,
                "last_at": tally.last,
            }
            for tally in tallies
        ],
        "last_at": max((tally.last for tally in tallies), default=None),
    }


def snapshot_as_json(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot. `current_state` may be null long after a device reported: only so much is remembered."""
    target, current = snapshot.states.target, snapshot.states.current
    return {
        "device_uuid": snapshot.uuid,
        "timestamp": snapshot.at,
        "target_state": snapshot.target and snapshot.target | {"deployed_at": target.deployed_at if target else None},
        "current_state": snapshot.current and snapshot.current | {"reported_at": current and current.reported_at},
        "is_online": snapshot.is_online,
    }


def _cut(shown: int, count: int, what: str) -> list[str]:
    return [f"there are {count} {what}; the first {shown} are shown"] if shown < count else []


def replay_as_json(replay: Replay) -> dict[str, Any]:
    """What happened, and how it was then."""
    return {
        "events_replayed": replay.count,
        "final_state": snapshot_as_json(replay.final),
        "errors": _cut(len(replay.events), replay.count, "events"),
        "events": [event_as_json(event) for event in replay.events],
    }


def comparison_as_json(found: Comparison) -> dict[str, Any]:
    """What differs, and what may have brought it about."""
    changes = [
        {
            "field": each.change.field,
            "old_value": each.change.before,
            "new_value": each.change.after,
            "events_involved": each.events,
        }
        for each in found.changes
    ]
    return {
        "changes_count": len(changes),
        "changes_truncated": len(changes) >= MOST_CHANGES,
        "events_between_count": found.count,
        "time1_snapshot": snapshot_as_json(found.before),
        "time2_snapshot": snapshot_as_json(found.after),
        "changes": changes,
        "events_between": [event_as_json(event) for event in found.events],
    }
