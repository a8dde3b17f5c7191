"""What a fleet has written down as acknowledged, held against what is stored."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

Item = dict[str, Any]


def missing_from(stored: Mapping[str, AbstractSet[tuple[Any, ...]]], acknowledged: Sequence[Item]) -> list[Item]:
    """The items that are not there. `stored` has the rows of each kind that counts, as `_row_of` names them."""
    return [item for item in acknowledged if item["kind"] in stored and _row_of(item) not in stored[item["kind"]]]


def _row_of(item: dict[str, Any]) -> tuple[Any, ...]:
    uuid = item["uuid"]
    if item["kind"] == "registration":
        return (uuid, item["id"])
    if item["kind"] == "report":
        return (uuid, item["storage_usage"])
    if item["kind"] == "log":
        return (uuid, item["message"])
    return (uuid, item["sensor"], item["register"], _microseconds(item["timestamp"]), item["value"])


def _microseconds(timestamp: str | int) -> int:
    if isinstance(timestamp, int):
        return timestamp * 1000
    return round(datetime.fromisoformat(timestamp).timestamp() * 1_000_000)
