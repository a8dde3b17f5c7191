"""What telemetry needs from outside: stores, each with its contract test in tests/contracts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from core.extents import Extent
from core.ids import DeviceUuid
from core.telemetry.lines import LogLine
from core.telemetry.model import (
    DroppedSummary,
    LogQuery,
    LogReceipt,
    ReadingQuery,
    Sample,
    StoredLine,
    StoredReading,
)
from core.telemetry.payloads import Reading
from core.telemetry.space import Space
from core.telemetry.vitals import Vitals
from core.transactions import Transaction


class Ageing(Protocol):
    """What grows with time and has to be cut back. tests/contracts/ageing_store.py says exactly how."""

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` of the oldest rows received before the moment; how many there were.

        Less than `most` means: there are no more, as far as rows were received in order.
        """

    async def drop_device(self, tx: Transaction, uuid: DeviceUuid, until: datetime, most: int) -> int:
        """Forget up to `most` rows of the device received up to and at the moment; how many there were."""

    async def drop_oldest(self, tx: Transaction, most: int) -> int:
        """Forget up to `most` of the oldest rows, whenever they were received; how many there were."""

    async def extent(self, tx: Transaction) -> Extent:
        """About how much there is, within a fifth or so. Looks at some rows only, however many there are."""


class Storage(Protocol):
    """Where telemetry is kept."""

    async def space(self) -> Space:
        """How much room there is, now. Asked every few seconds. Raises Unavailable when nobody can tell."""


class VitalsStore(Protocol):
    """Remembers the latest vital signs of each device; they go when the device goes."""

    async def merge(self, tx: Transaction, uuid: DeviceUuid, now: datetime, vitals: Vitals) -> None:
        """Replace what the vitals tell and keep what they do not. The device must exist."""

    async def latest(self, tx: Transaction, uuid: DeviceUuid) -> Sample | None:
        """What was last told of each sign, and when the device last told of any; None if never."""


class MetricStore(Ageing, Protocol):
    """Remembers series of vital signs."""

    async def add(self, tx: Transaction, uuid: DeviceUuid, sample: Sample) -> None:
        """Remember one more; its network interfaces and versions are not kept here."""

    async def last(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[Sample]:
        """The newest samples, newest first, late ones among them."""

    async def processes(self, tx: Transaction, uuid: DeviceUuid, since: datetime, limit: int) -> Sequence[Sample]:
        """The newest samples that tell of processes, newest first, late ones left out."""

    async def averages(
        self, tx: Transaction, uuid: DeviceUuid, now: datetime, length: timedelta, points: int
    ) -> Sequence[Sample]:
        """Averages over `points` equal parts of the time up to now, oldest first; parts without samples are left out.

        Each tells when its last sample was and which processes that one saw. Late samples do not count.
        """


class LogStore(Ageing, Protocol):
    """Remembers log lines, and which batches have been had already."""

    async def claim(
        self, tx: Transaction, uuid: DeviceUuid, batch: str, now: datetime, receipt: LogReceipt
    ) -> LogReceipt | None:
        """Note that a batch has come; None if it is new, else what became of it the first time."""

    async def add(self, tx: Transaction, uuid: DeviceUuid, now: datetime, lines: Sequence[LogLine]) -> None:
        """Remember lines in the order in which they came."""

    async def page(self, tx: Transaction, uuid: DeviceUuid, query: LogQuery) -> Sequence[StoredLine]:
        """The lines asked for, newest first; of those with the same time, the last to come first."""

    async def services(self, tx: Transaction, uuid: DeviceUuid) -> Sequence[str]:
        """The names of services that have lines, sorted."""


class DroppedSummaryStore(Ageing, Protocol):
    """Remembers summaries of dropped log lines."""

    async def add(self, tx: Transaction, uuid: DeviceUuid, now: datetime, summaries: Sequence[DroppedSummary]) -> None:
        """Remember those that are not known yet."""

    async def last(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[DroppedSummary]:
        """The newest, newest first."""


class ReadingStore(Ageing, Protocol):
    """Remembers readings of sensors."""

    async def add(self, tx: Transaction, uuid: DeviceUuid, now: datetime, readings: Sequence[Reading]) -> None:
        """Remember those that are not known yet: same device and digest, and the same time unless we gave it."""

    async def page(self, tx: Transaction, uuid: DeviceUuid, query: ReadingQuery) -> Sequence[StoredReading]:
        """The readings asked for, newest first, and one more than the limit if there are more."""
