"""Which broker a device is told of (B-17)."""

from core.errors import Unavailable
from core.ids import DeviceUuid
from core.mqtt.broker_records import BrokerRecords
from core.mqtt.endpoint import Endpoint
from core.mqtt.ports import AssignmentStore
from core.settings import StoredSettings
from core.transactions import Transaction


class Endpoints:
    """Chooses, from the strongest to the weakest word: the environment's, the device's own, the default, our broker."""

    def __init__(self, *, settings: StoredSettings, assignments: AssignmentStore) -> None:
        self._records = BrokerRecords(settings)
        self._assignments = assignments
        self._embedded: Endpoint | None = None
        self.override: Endpoint | None = None

    def reachable_at(self, embedded: Endpoint, *, override: Endpoint | None = None) -> None:
        """From now on our own broker is there; `override` is what MQTT_BROKER_URL says, if it says anything."""
        self._embedded = embedded
        self.override = override

    async def for_device(self, tx: Transaction, uuid: DeviceUuid) -> Endpoint:
        """The broker that the device is told of when it registers. Unavailable while there is none yet."""
        if self._embedded is None:
            raise Unavailable("the broker has not started yet")
        if self.override is not None:
            return self.override
        for broker_id in (await self._assignments.of(tx, uuid), await self._records.default_id(tx)):
            broker = None if broker_id is None else await self._records.find(tx, broker_id)
            if broker is not None and broker.is_active:
                return broker.endpoint
        return self._embedded
