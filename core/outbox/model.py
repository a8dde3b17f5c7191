"""Reactions that failed, and when to try them again."""

from datetime import datetime, timedelta
from zlib import crc32

from attrs import frozen

from core.events import Event

# Few, so that a worker finds enough in a lane to be worth the way; as many deliver at the same time at most.
LANES = 8

MOST_ATTEMPTS = 12
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)


@frozen(kw_only=True)
class Failure:
    """A reaction to an event that raised, `attempts` times so far. `retry_at` None means: given up."""

    event_id: int
    reaction: str
    attempts: int
    error: str
    retry_at: datetime | None

    @property
    def dead(self) -> bool:
        """Whether we stopped trying by ourselves."""
        return self.retry_at is None


@frozen(kw_only=True)
class DeadLetter:
    """A failure nobody tries again by itself, with the event it belongs to."""

    failure: Failure
    event: str
    announced_at: datetime


@frozen(kw_only=True)
class OutboxStanding:
    """How the outbox is doing: what waits for its first delivery, since when, and what was given up."""

    backlog: int
    oldest: datetime | None
    dead_letters: int

    def lag(self, now: datetime) -> float:
        """For how many seconds the oldest event has waited; 0 when none does."""
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0


def lane_of(event: Event) -> int:
    """The lane of an event, 0 to 7: the same for all events of one device, else for all of its name.

    Within a lane events are told in order; the lanes are told side by side, by several processes.
    """
    subject = getattr(event, "uuid", None) or getattr(event, "device_uuid", None) or event.NAME
    return crc32(str(subject).encode()) % LANES


def failed(*, event_id: int, reaction: str, attempts: int, error: str, now: datetime) -> Failure:
    """The failure after one more attempt: wait 1 s, 2 s, 4 s… up to an hour, then give up."""
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return Failure(
        event_id=event_id,
        reaction=reaction,
        attempts=attempts,
        error=error,
        retry_at=None if attempts >= MOST_ATTEMPTS else now + wait,
    )
