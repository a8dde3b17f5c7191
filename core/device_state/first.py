"""The state every device begins with (contract §9.2)."""

import logging
from collections.abc import Mapping
from typing import Any

from core.actor import SYSTEM
from core.clock import Clock
from core.device_state.documents import deep_merged
from core.device_state.drafts import DEVICE_STATES
from core.device_state.model import Content, Deployed
from core.device_state.ports import DesiredStateStore
from core.device_state.sensor_checks import NewId
from core.device_state.validation import checked
from core.devices import Device
from core.errors import Invalid
from core.ids import Ids
from core.settings import StoredSettings
from core.transactions import Transaction

log = logging.getLogger(__name__)

TEMPLATE = "default_target_state_template"
FIRST_VERSION = 1

DEFAULT_TARGET_STATE: Mapping[str, Any] = {
    "apps": {},
    "config": {
        "logging": {"level": "info", "enableRemoteLogging": True, "enableFilePersistence": False},
        "features": {
            "enableDeviceJobs": True,
            "enableDeviceSensorPublish": True,
            "enableDeviceRemoteAccess": True,
        },
        "settings": {
            "metricsIntervalMs": 60_000,
            "deviceReportIntervalMs": 30_000,
            "stateReportIntervalMs": 10_000,
            "scheduledRestart": {"enabled": True, "intervalDays": 7, "reason": "heap_fragmentation_cleanup"},
        },
    },
}

_DEFAULT = Content.of(DEFAULT_TARGET_STATE["apps"], DEFAULT_TARGET_STATE["config"])


class FirstState:
    """Gives a new device version 1 of what it shall run. Implements `core.provisioning.Issuer`."""

    def __init__(self, *, store: DesiredStateStore, settings: StoredSettings, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._ids = ids

    async def issue(self, tx: Transaction, device: Device) -> Mapping[str, Any]:
        """Write it down, unless the device has a state already. The answer to the device says nothing of it."""
        if await self._store.deployed(tx, device.uuid) is None:
            content = first_content(await self._settings.get(tx, TEMPLATE), self._ids.uuid)
            await self._store.deploy(
                tx,
                Deployed(
                    uuid=device.uuid,
                    version=FIRST_VERSION,
                    content=content,
                    deployed_at=self._clock.now(),
                    deployed_by=SYSTEM.reference,
                ),
            )
            tx.signal(DEVICE_STATES, device.uuid)
        return {}


def first_content(template: Any, new_id: NewId) -> Content:
    """The defaults with what the template says. A template that is wrong is passed over: agents enrol only once."""
    if template is None:
        return _DEFAULT
    try:
        return checked(_with_template(template), deployed=None, new_id=new_id)[0]
    except Invalid as refusal:
        log.exception("the setting %s is wrong and was passed over: %s", TEMPLATE, refusal.message)
        return _DEFAULT


def _with_template(template: Any) -> Content:
    if not isinstance(template, Mapping):
        raise Invalid("it must be an object with apps and config", field=TEMPLATE)
    config = template.get("config", {})
    if not isinstance(config, Mapping):
        raise Invalid("config must be an object", field="config")
    merged = deep_merged(DEFAULT_TARGET_STATE["config"], config)
    return Content.of(template.get("apps", {}), merged)
