"""The read model behind lists of devices. Implements `core.devices.DeviceOverviews`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from adapters.sql.device_state import deployed_states, reported_states
from adapters.sql.devices import device_from, devices
from adapters.sql.tags import device_tags
from adapters.sql.transactions import sql
from adapters.sql.vitals import device_vitals
from core.devices import Census, DeviceOrder, DeviceOverview, DeviceQuery, DeviceStatus
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
_CENSUS = select(devices.c.status, devices.c.is_online, func.count().label("number")).group_by(
    devices.c.status, devices.c.is_online
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

    async def census(self, tx: Transaction) -> Census:
        """How many devices there are."""
        rows = await sql(tx).rows(_CENSUS)
        return Census(counts={(DeviceStatus(row.status), row.is_online): row.number for row in rows})

    async def one(self, tx: Transaction, uuid: DeviceUuid) -> DeviceOverview:
        """One device. NotFound."""
        row = await sql(tx).row(_OVERVIEW.where(devices.c.uuid == uuid))
        if row is None:
            raise NotFound("there is no such device")
        return _overview(row)

    async def uuids(self, tx: Transaction, query: DeviceQuery) -> Sequence[DeviceUuid]:
        """All devices that match, in the order of their numbers."""
        rows = await sql(tx).rows(select(devices.c.uuid).where(*_conditions(query)).order_by(devices.c.id))
        return [DeviceUuid(row.uuid) for row in rows]


def _conditions(query: DeviceQuery) -> list[ColumnElement[bool]]:
    columns = devices.c
    asked: list[tuple[ColumnElement[Any], object]] = [
        (columns.is_online, query.online),
        (columns.status, query.status and query.status.value),
        (columns.provisioning, query.provisioning and query.provisioning.value),
        (columns.type, query.type),
        (columns.fleet_id, query.fleet_id),
    ]
    conditions = [column == value for column, value in asked if value is not None]
    conditions += [_tagged(key, value) for key, value in query.tags]
    if query.search:
        like = f"%{query.search.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        searched = (columns.name, columns.type, columns.uuid, columns.ip_address, columns.mac_address)
        conditions.append(or_(*(func.lower(column).like(like, escape="!") for column in searched)))
    return conditions


def _tagged(key: str, value: str) -> ColumnElement[bool]:
    columns = device_tags.c
    theirs = (columns.device_uuid == devices.c.uuid) & (columns.key == key) & (columns.value == value)
    return select(columns.key).where(theirs).exists()


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
