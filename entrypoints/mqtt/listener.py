"""Which use case takes which messages of devices (contract §3.2)."""

from core.mqtt import DeviceMessageHandler
from core.services import Services


def handlers_of(services: Services) -> dict[str, DeviceMessageHandler]:
    """The handler for each kind of topic below `iot/device/<uuid>/`."""
    return {}
