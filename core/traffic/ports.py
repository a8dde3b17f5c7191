"""What traffic needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.ids import DeviceUuid
from core.traffic.model import (
    DeviceTraffic,
    EndpointTraffic,
    RequestCount,
    TopicCount,
    TopicOrder,
    TopicTotals,
    TopicTraffic,
)
from core.transactions import Transaction


class TrafficStore(Protocol):
    """Remembers counts by the hour. tests/contracts/traffic_store.py says exactly how."""

    async def add_requests(self, tx: Transaction, counts: Sequence[RequestCount]) -> None:
        """Count these on top of what is known of the same keys."""

    async def add_topics(self, tx: Transaction, counts: Sequence[TopicCount]) -> None:
        """Count these on top of what is known of the same topics in the same hours."""

    async def endpoints(
        self, tx: Transaction, since: datetime, limit: int, uuid: DeviceUuid | None = None
    ) -> Sequence[EndpointTraffic]:
        """What devices, or this one, asked in the hours from then on, the busiest endpoints first."""

    async def devices(self, tx: Transaction, since: datetime, limit: int) -> Sequence[DeviceTraffic]:
        """The same, added up by device, the busiest first."""

    async def topics(self, tx: Transaction, since: datetime, order: TopicOrder, limit: int) -> Sequence[TopicTraffic]:
        """The topics on which something came in the hours from then on."""

    async def topic_totals(self, tx: Transaction, since: datetime) -> TopicTotals:
        """All of them together."""

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` rows of each kind from hours before the moment; the larger number of the two."""

    async def drop_device(self, tx: Transaction, uuid: DeviceUuid, until: datetime, most: int) -> int:
        """Forget up to `most` rows of each kind of the device up to the moment; the larger number of the two."""
