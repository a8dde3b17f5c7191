"""The read model behind lists of devices. Implements `core.devices.DeviceOverviews`."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from adapters.sql.device_state import deployed_states, reported_states
from adapters.sql.devices import device_from, devices
from adapters.sql.transactions import sql
from adapters.sql.vitals import device_vitals
from core.devices import DeviceOrder, DeviceOverview, DeviceQuery
from core.errors import NotFound
from core.ids import DeviceUuid
from core.pages import Page
from core.transactions import Transaction

_ORDERS: dict[DeviceOrder, ColumnElement[Any]] = {
    DeviceOrder.NAME: func.lower(devices.c.name),
    DeviceOrder.TYPE: devices.c.type,
    DeviceOrder.STATUS: devices.c.status,
    DeviceOrder.ONLINE: devices.c.is_online,
    DeviceOrder.LAST_SEEN: devices.c.last_seen,
    DeviceOrder.CREATED: devices.c.created_at,
    DeviceOrder.ID: devices.c.id,
}
_TARGET_APPS = (
    select(deployed_states.c.apps_count)
    .where(deployed_states.c.device_uuid == devices.c.uuid)
    .order_by(deployed_states.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
# What lists show of the vital signs; the lists of processes and interfaces are long and shown elsewhere.
_SIGNS = (
    "cpu_usage",
    "cpu_temp",
    "memory_usage",
    "memory_total",
    "storage_usage",
    "storage_total",
    "uptime",
    "os_version",
    "agent_version",
    "local_ip",
)
_OVERVIEW = (
    select(
        devices,
        _TARGET_APPS.label("target_apps"),
        reported_states.c.apps_count.label("current_apps"),
        reported_states.c.reported_at,
        *(device_vitals.c[name].label(f"latest_{name}") for name in _SIGNS),
    )
    .outerjoin(reported_states, reported_states.c.device_uuid == devices.c.uuid)
    .outerjoin(device_vitals, device_vitals.c.device_uuid == devices.c.uuid)
)


class SqlDeviceOverviews:
    """Reads what several features wrote, writes nothing."""

    async def page(self, tx: Transaction, query: DeviceQuery) -> Page[DeviceOverview]:
        """The devices asked for, with the total that match."""
        conditions = _conditions(query)
        total = await sql(tx).value(select(func.count()).select_from(devices).where(*conditions))
        rows = await sql(tx).rows(_ordered(_OVERVIEW.where(*conditions), query))
        items = tuple(_overview(row) for row in rows[: query.limit])
        more = len(rows) > query.limit and query.order is DeviceOrder.ID and not query.descending
        return Page(items=items, total=int(total), next=str(items[-1].device.id) if more else None)

    async def one(self, tx: Transaction, uuid: DeviceUuid) -> DeviceOverview:
        """One device. NotFound."""
        row = await sql(tx).row(_OVERVIEW.where(devices.c.uuid == uuid))
        if row is None:
            raise NotFound("there is no such device")
        return _overview(row)


def _conditions(query: DeviceQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.search:
        like = f"%{query.search.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        columns = (devices.c.name, devices.c.type, devices.c.uuid, devices.c.ip_address, devices.c.mac_address)
        conditions.append(or_(*(func.lower(column).like(like, escape="!") for column in columns)))
    if query.online is not None:
        conditions.append(devices.c.is_online.is_(query.online))
    if query.status is not None:
        conditions.append(devices.c.status == query.status.value)
    if query.provisioning is not None:
        conditions.append(devices.c.provisioning == query.provisioning.value)
    if query.type is not None:
        conditions.append(devices.c.type == query.type)
    if query.fleet_id is not None:
        conditions.append(devices.c.fleet_id == query.fleet_id)
    return conditions


def _ordered(statement: Select[Any], query: DeviceQuery) -> Select[Any]:
    """In the order asked for, with one row more than the page, to know whether there is a next one."""
    if query.after is not None:
        statement = statement.where(devices.c.id > query.after)
    column = _ORDERS[query.order]
    statement = statement.order_by(column.desc() if query.descending else column, devices.c.id)
    return statement.limit(query.limit + 1).offset((query.page - 1) * query.limit)


def _overview(row: Row[Any]) -> DeviceOverview:
    return DeviceOverview(
        device=device_from(row),
        vitals={name: value for name in _SIGNS if (value := getattr(row, f"latest_{name}")) is not None},
        target_apps=row.target_apps or 0,
        current_apps=row.current_apps or 0,
        last_reported=row.reported_at,
    )
