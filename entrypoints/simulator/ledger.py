"""What the server acknowledged, item by item, so that a test can compare it with what was stored."""

import json
from pathlib import Path
from typing import TextIO

from attrs import frozen


@frozen(kw_only=True)
class Item:
    """One acknowledged thing: its kind and what identifies it."""

    kind: str
    uuid: str
    facts: dict[str, object]


class Ledger:
    """A file of JSON lines, one for each acknowledged item, handed to the operating system at once.

    Kinds: `registration` {id}, `report` {sequence, version, storage_usage, via, replayed}, `log` {message, timestamp},
    `reading` {sensor, register, timestamp, value, form}, `dropped` {droppedAt}, `job` {job_id, status}. A line is
    written only after the 2xx or the PUBACK was read: what is here and not in the database was lost by the server.
    `storage_usage` is the mark of a report in its metrics: no two reports of a device carry the same one.
    """

    def __init__(self, path: Path | None) -> None:
        self._stream: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a", encoding="utf-8")

    def write(self, *items: Item) -> None:
        """Write items down that were acknowledged together."""
        if self._stream is not None and items:
            lines = (json.dumps({"kind": item.kind, "uuid": item.uuid, **item.facts}) + "\n" for item in items)
            self._stream.write("".join(lines))
            self._stream.flush()

    def close(self) -> None:
        """No more will come."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
