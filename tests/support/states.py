"""Fixtures for the states of devices: the real use cases on the test's own SQLite file."""

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import define, field, frozen
from sqlalchemy import select

from adapters.sql.applications import SqlApplicationStore, SqlIssuedIdStore
from adapters.sql.device_state import SqlDesiredStateStore, SqlReportedStateStore
from adapters.sql.devices import SqlDeviceStore
from adapters.sql.endpoint_changes import SqlEndpointChangeStore
from adapters.sql.outbox import event_from, outbox
from adapters.sql.past_states import SqlPastStateStore
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system import SystemIds
from core.actor import Actor, ActorKind
from core.applications import Applications
from core.device_state import (
    SETTINGS,
    DesiredStates,
    DeviceApps,
    Drafts,
    EndpointHistory,
    FirstState,
    Reports,
    Sensors,
    StateHistory,
)
from core.devices import DEVICE_CONTROL, DEVICE_READ, DEVICE_WRITE, Device
from core.events import Event
from core.ids import DeviceUuid, UserId
from core.settings import Settings
from core.transactions import Transaction
from tests.support.clock import TestClock

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")
VERSIONS_KEPT = 5
OTHER = DeviceUuid("00000000-0000-4000-8000-000000000002")
APPS = {
    "1001": {
        "appId": 1001,
        "appName": "web",
        "services": [
            {"serviceId": 1, "serviceName": "nginx", "imageName": "nginx:1.27", "config": {"ports": ["8080:80"]}}
        ],
    }
}


@define
class Notes:
    """Implements `VitalsSink`: writes down what it was given."""

    taken: list[tuple[DeviceUuid, Mapping[str, Any], bool]] = field(factory=list)

    async def record(self, tx: Transaction, uuid: DeviceUuid, report: Mapping[str, Any], *, late: bool) -> None:
        """Write it down."""
        self.taken.append((uuid, report, late))


@frozen(kw_only=True)
class States:
    """Everything about the states of devices, put together."""

    transactions: SqliteTransactions
    clock: TestClock
    settings: SqlStoredSettings
    devices: SqlDeviceStore
    first: FirstState
    desired: DesiredStates
    history: StateHistory
    apps: DeviceApps
    applications: Applications
    sensors: Sensors
    endpoints: EndpointHistory
    reports: Reports
    vitals: Notes

    async def enrol(self, uuid: DeviceUuid = UUID) -> Device:
        """A device that has just registered."""
        now = self.clock.now()
        device = Device(uuid=uuid, name="gateway", type="standalone", created_at=now, modified_at=now)
        async with self.transactions.begin() as tx:
            added = await self.devices.add(tx, device)
            await self.first.issue(tx, added)
        return added

    async def events(self) -> list[Event]:
        """What has been announced, the oldest first."""
        async with self.transactions.read() as tx:
            rows = await tx.rows(select(outbox.c.name, outbox.c.payload).order_by(outbox.c.id))
        return [event_from(row.name, row.payload) for row in rows]


def device_actor(uuid: DeviceUuid = UUID) -> Actor:
    """The device itself."""
    return Actor(kind=ActorKind.DEVICE, device_uuid=uuid)


def person(*permissions: Any) -> Actor:
    """Anna, who may do this."""
    return Actor(kind=ActorKind.USER, user_id=UserId(7), username="anna", permissions=frozenset(permissions))


MANAGER = person(DEVICE_READ, DEVICE_WRITE, DEVICE_CONTROL)


@pytest.fixture
def states(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> States:
    """The states of devices on the test's own database."""
    store, reported, settings, vitals = SqlDesiredStateStore(), SqlReportedStateStore(), SqlStoredSettings(), Notes()
    ids, ours = SystemIds(), Settings(SETTINGS, {"TARGET_STATE_VERSIONS_KEPT": str(VERSIONS_KEPT)})
    drafts = Drafts(transactions=transactions, store=store, settings=ours, clock=clock, ids=ids)
    desired = DesiredStates(transactions=transactions, store=store, drafts=drafts, clock=clock, signals=signals)
    applications = Applications(
        transactions=transactions,
        store=SqlApplicationStore(),
        numbers=SqlIssuedIdStore(),
        desired=desired,
        clock=clock,
    )
    endpoints = EndpointHistory(
        transactions=transactions, store=SqlEndpointChangeStore(), desired=store, settings=ours, clock=clock
    )
    return States(
        transactions=transactions,
        clock=clock,
        settings=settings,
        devices=SqlDeviceStore(),
        first=FirstState(store=store, settings=settings, clock=clock, ids=ids),
        desired=desired,
        history=StateHistory(transactions=transactions, store=store, drafts=drafts, ids=ids),
        apps=DeviceApps(transactions=transactions, store=store, drafts=drafts, names=applications, ids=ids),
        applications=applications,
        sensors=Sensors(transactions=transactions, drafts=drafts, reported=reported),
        endpoints=endpoints,
        reports=Reports(
            transactions=transactions,
            store=reported,
            past=SqlPastStateStore(),
            endpoints=endpoints,
            vitals=vitals,
            clock=clock,
        ),
        vitals=vitals,
    )
