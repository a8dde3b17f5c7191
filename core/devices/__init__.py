"""Devices: the registry, their keys, and whether they are alive."""

from core.devices.events import (
    DeviceActivated,
    DeviceDeactivated,
    DeviceEdited,
    DeviceEvent,
    DeviceOffline,
    DeviceOnline,
    DeviceReleased,
    DeviceRemoved,
)
from core.devices.keys import DEVICE_KEYS, DEVICES, DeviceKeys
from core.devices.liveness import LIVENESS, Liveness, Silence
from core.devices.model import (
    Device,
    DeviceEdit,
    DeviceStatus,
    KnownDevice,
    ProvisioningState,
    device_api_key,
    ip_address,
    mac_address,
)
from core.devices.overview import MOST_ROWS, Census, DeviceOrder, DeviceOverview, DeviceQuery
from core.devices.ports import DeviceKeyStore, DeviceOverviews, DeviceStore, LivenessStore, Quota
from core.devices.service import DEVICE_CONTROL, DEVICE_DELETE, DEVICE_READ, DEVICE_WRITE, Devices

__all__ = [
    "DEVICES",
    "DEVICE_CONTROL",
    "DEVICE_DELETE",
    "DEVICE_KEYS",
    "DEVICE_READ",
    "DEVICE_WRITE",
    "LIVENESS",
    "MOST_ROWS",
    "Census",
    "Device",
    "DeviceActivated",
    "DeviceDeactivated",
    "DeviceEdit",
    "DeviceEdited",
    "DeviceEvent",
    "DeviceKeyStore",
    "DeviceKeys",
    "DeviceOffline",
    "DeviceOnline",
    "DeviceOrder",
    "DeviceOverview",
    "DeviceOverviews",
    "DeviceQuery",
    "DeviceReleased",
    "DeviceRemoved",
    "DeviceStatus",
    "DeviceStore",
    "Devices",
    "KnownDevice",
    "Liveness",
    "LivenessStore",
    "ProvisioningState",
    "Quota",
    "Silence",
    "device_api_key",
    "ip_address",
    "mac_address",
]
