"""What differs between two documents."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

MOST_CHANGES = 500


@frozen(kw_only=True)
class Change:
    """Something that is not the same before and after; None stands for what was not there.

    `field` is the way to it: keys with dots between them, places in lists as numbers.
    """

    field: str
    before: Any
    after: Any


def changes_between(before: Any, after: Any, field: str = "") -> Iterator[Change]:
    """The smallest things that differ, in the order of their fields. Types count: 1 is not true, nor is it 1.0."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from changes_between(before.get(key), after.get(key), f"{field}.{key}" if field else key)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        for place in range(max(len(before), len(after))):
            yield from changes_between(_item(before, place), _item(after, place), f"{field}.{place}")
    elif type(before) is not type(after) or before != after:
        yield Change(field=field, before=before, after=after)


def _item(items: list[Any] | tuple[Any, ...], place: int) -> Any:
    return items[place] if place < len(items) else None
