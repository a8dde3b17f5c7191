"""What devices should run and did run at some moment in the past."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.sql.past_states import SqlPastStateStore
from core.actor import STRANGER
from core.device_state import PastStates, StatesAt
from core.devices import DEVICE_READ
from core.errors import Unauthenticated
from tests.support.clock import NOON
from tests.support.states import APPS, MANAGER, UUID, States, device_actor, person

LOOKER = person(DEVICE_READ)


@pytest.fixture
def past(states: States) -> PastStates:
    """Looks back on the same database."""
    return PastStates(transactions=states.transactions, store=SqlPastStateStore())


async def report(states: States, minutes: int, **fields: Any) -> None:
    """The device reports, so long after noon."""
    states.clock.jump(NOON + timedelta(minutes=minutes))
    await states.reports.receive(device_actor(), {UUID: fields})


async def at(past: PastStates, minutes: int) -> StatesAt:
    """How it was, so long after noon."""
    return await past.at(LOOKER, UUID, NOON + timedelta(minutes=minutes))


async def test_both_states_are_those_of_the_moment(states: States, past: PastStates) -> None:
    await states.enrol()
    await report(states, 10, version=1, apps={})
    await report(states, 20, version=1, apps=APPS)
    before, between, later = await at(past, 9), await at(past, 10), await at(past, 30)
    assert before.current is None
    assert before.target is not None
    assert before.target.version == 1
    assert between.current is not None
    assert between.current.apps == {}
    assert later.current is not None
    assert later.current.apps == APPS


async def test_a_report_that_changes_nothing_is_not_remembered_again(states: States, past: PastStates) -> None:
    await states.enrol()
    for minutes in (10, 20):
        await report(states, minutes, version=1, apps=APPS, cpu_usage=minutes)
    found = (await at(past, 20)).current
    assert found is not None
    assert found.reported_at == NOON + timedelta(minutes=10)


async def test_apps_that_are_too_large_are_not_remembered(states: States, past: PastStates) -> None:
    await states.enrol()
    await report(states, 10, version=1, apps={str(n): {"appName": "x" * 30_000} for n in range(3)})
    found = (await at(past, 10)).current
    assert found is not None
    assert (found.version, found.apps) == (1, None)


async def test_passwords_are_shown_to_those_who_may_edit(states: States, past: PastStates) -> None:
    await states.enrol()
    config = {"environment": {"PASSWORD": "hunter2"}}
    service = {"serviceId": 1, "serviceName": "db", "imageName": "db:1", "config": config}
    apps = {"1001": {"appId": 1001, "appName": "db", "services": [service]}}
    await states.desired.replace_draft(MANAGER, UUID, apps=apps)
    await states.desired.deploy(MANAGER, UUID)
    moment = states.clock.now()
    assert "hunter2" not in str((await past.at(LOOKER, UUID, moment)).shown)
    assert "hunter2" in str((await past.at(MANAGER, UUID, moment)).shown)


async def test_strangers_do_not_look_back(states: States, past: PastStates) -> None:
    with pytest.raises(Unauthenticated):
        await past.at(STRANGER, UUID, states.clock.now())


async def test_what_no_device_ran_any_more_is_forgotten(states: States, past: PastStates) -> None:
    await states.enrol()
    for minutes in (10, 20, 30):
        await report(states, minutes, version=minutes, apps=APPS)
    forgotten: list[int] = [await past.forget(_after(25)) for _ in range(2)]
    assert forgotten == [1, 0]
    assert (await at(past, 15)).current is None
    assert (await at(past, 25)).current is not None


def _after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)
