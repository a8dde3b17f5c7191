"""The outbox: facts that were committed with what they tell of, on their way to the reactions."""

from core.outbox.model import LANES, DeadLetter, Failure, OutboxStanding, lane_of
from core.outbox.ports import OutboxStore
from core.outbox.service import DELIVERED, OUTBOX_READ, OUTBOX_RETRY, Outbox

__all__ = [
    "DELIVERED",
    "LANES",
    "OUTBOX_READ",
    "OUTBOX_RETRY",
    "DeadLetter",
    "Failure",
    "Outbox",
    "OutboxStanding",
    "OutboxStore",
    "lane_of",
]
