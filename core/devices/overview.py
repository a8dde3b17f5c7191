"""Devices as people look at them: many at once, with what is known of each."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import field, frozen

from core.devices.model import Device, DeviceStatus, ProvisioningState
from core.errors import Invalid

MOST_ROWS = 500


class DeviceOrder(Enum):
    """What a list of devices can be sorted by."""

    NAME = "name"
    TYPE = "type"
    STATUS = "status"
    ONLINE = "online"
    LAST_SEEN = "last_seen"
    CREATED = "created_at"
    ID = "id"


@frozen(kw_only=True)
class DeviceQuery:
    """Which devices to list. `page` counts from 1; `after` is the cursor of the page before and excludes `page`.

    A cursor follows the order of ids, so `after` cannot be combined with another order. `tags` are keys with values;
    a device must have them all.
    """

    search: str | None = None
    online: bool | None = None
    status: DeviceStatus | None = None
    provisioning: ProvisioningState | None = None
    type: str | None = None
    fleet_id: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    order: DeviceOrder = DeviceOrder.ID
    descending: bool = False
    limit: int = field(default=MOST_ROWS)
    page: int = field(default=1)
    after: int | None = None

    @limit.validator
    def _(self, _attribute: object, value: int) -> None:
        if not 1 <= value <= MOST_ROWS:
            raise Invalid(f"limit must be between 1 and {MOST_ROWS}", field="limit")

    @page.validator
    def _(self, _attribute: object, value: int) -> None:
        if value < 1:
            raise Invalid("page counts from 1", field="page")

    def __attrs_post_init__(self) -> None:
        if self.after is not None and (self.order is not DeviceOrder.ID or self.descending or self.page != 1):
            raise Invalid("cursor cannot be combined with page or sort", field="cursor")


@frozen(kw_only=True)
class Census:
    """How many devices there are, by status and whether they are online."""

    counts: Mapping[tuple[DeviceStatus, bool], int]


@frozen(kw_only=True)
class DeviceOverview:
    """A device with its latest vital signs (names as in the wire contract §4.5; absent ones are not known)."""

    device: Device
    vitals: Mapping[str, Any]
    target_apps: int
    current_apps: int
    last_reported: datetime | None
