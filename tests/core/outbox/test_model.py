"""When a failed reaction is tried again."""

from core.outbox.model import failed
from tests.support.clock import NOON


def waits() -> list[float | None]:
    """Seconds until the next try after each failure."""
    failures = [failed(event_id=1, reaction="mail", attempts=n, error="no", now=NOON) for n in range(1, 13)]
    return [None if each.retry_at is None else (each.retry_at - NOON).total_seconds() for each in failures]


def test_each_wait_is_twice_as_long_and_the_twelfth_failure_is_the_last() -> None:
    assert waits() == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, None]


def test_a_failure_is_dead_when_it_is_not_tried_again() -> None:
    assert not failed(event_id=1, reaction="mail", attempts=11, error="no", now=NOON).dead
    assert failed(event_id=1, reaction="mail", attempts=12, error="no", now=NOON).dead
