"""What one can watch (contract §5): what each channel reads, what wakes it, and the shape of its data."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from core.ids import DeviceUuid


@frozen
class Key:
    """What is watched: a channel of a device, or of all where there is none; of one service where it is named."""

    channel: str
    device: DeviceUuid | None = None
    service: str | None = None


@frozen
class Item:
    """One thing to be told. Positions grow: who has had this one needs those above it."""

    position: int
    value: Any


# Reads what there is, the lowest position first. The second argument asks for all above a position, where a channel
# remembers so far back.
Read = Callable[[Key, int | None], Awaitable[Sequence[Item]]]


@frozen(kw_only=True)
class Channel:
    """Something that can be watched.

    It is read after a signal of one of these names with the device's uuid, and `every` so many seconds; but never
    when nobody watches.
    """

    name: str
    read: Read
    shape: Callable[[Sequence[Any]], Mapping[str, Any]]
    signals: tuple[str, ...] = ()
    every: float | None = None
    by_service: bool = False
    # Readers that come back name the last position they have had.
    resumes: bool = False


def microseconds(moment: datetime) -> int:
    """The moment as a position."""
    return int(moment.timestamp() * 1_000_000)


def newest(values: Sequence[Any]) -> Mapping[str, Any]:
    """The shape of a channel whose last value is all that counts."""
    value: Mapping[str, Any] = values[-1]
    return value
