"""Where the numbers of reports go when nobody keeps them."""

from collections.abc import Mapping
from typing import Any

from core.ids import DeviceUuid
from core.transactions import Transaction


class VitalsUnkept:
    """Implements `VitalsSink` for an installation without telemetry: the last numbers are in the reported state."""

    async def record(self, tx: Transaction, uuid: DeviceUuid, report: Mapping[str, Any], *, late: bool) -> None:
        """Keep nothing."""
