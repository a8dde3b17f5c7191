"""Which use case takes which messages of devices (contract §3.2)."""

from core.ids import DeviceUuid
from core.mqtt import DeviceMessageHandler
from core.services import Services


def handlers_of(services: Services) -> dict[str, DeviceMessageHandler]:
    """The handler for each kind of topic below `iot/device/<uuid>/`."""

    async def state(uuid: DeviceUuid, _rest: str, payload: bytes) -> None:
        await services.reports.receive_published(uuid, payload)

    return {"state": state, "sensor": services.readings.receive}
