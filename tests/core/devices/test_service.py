"""What people do with devices."""

import asyncio

import pytest

from core.actor import STRANGER, SYSTEM, Actor, ActorKind, Permission
from core.devices import (
    DEVICE_DELETE,
    DEVICE_READ,
    DEVICE_WRITE,
    Device,
    DeviceActivated,
    DeviceDeactivated,
    DeviceEdit,
    DeviceEdited,
    DeviceEvent,
    DeviceReleased,
    DeviceRemoved,
)
from core.errors import Conflict, Forbidden, Invalid, NotFound, QuotaExceeded, Unauthenticated
from core.ids import DeviceUuid
from tests.support.enrolment import Enrolling, new_uuid
from tests.support.states import person


async def registered(enrolling: Enrolling, count: int = 1) -> list[Device]:
    """Devices that have enrolled."""
    _, secret = await enrolling.key()
    return [(await enrolling.register(secret)).device for _ in range(count)]


def itself(uuid: DeviceUuid) -> Actor:
    """The device as a caller."""
    return Actor(kind=ActorKind.DEVICE, device_uuid=uuid)


async def told(enrolling: Enrolling) -> list[type]:
    """What was announced of devices."""
    return [type(event) for event in await enrolling.events(DeviceEvent)]


async def test_an_edit_is_announced_with_the_names_of_what_changed(enrolling: Enrolling) -> None:
    [device] = await registered(enrolling)
    edit = DeviceEdit(name="press 7", type=device.type)
    edited = await enrolling.devices.edit(person(DEVICE_WRITE), device.uuid, edit)
    [event] = await enrolling.events(DeviceEdited)
    assert edited.name == "press 7"
    assert (event.uuid, event.changes, event.by) == (device.uuid, ("name",), "user:7:anna")


async def test_a_refused_edit_leaves_everything_as_it_was(enrolling: Enrolling) -> None:
    [device] = await registered(enrolling)
    with pytest.raises(Invalid):
        await enrolling.devices.edit(SYSTEM, device.uuid, DeviceEdit(name="a\nb"))
    shown = await enrolling.devices.overview(SYSTEM, device.uuid)
    assert (shown.device.name, shown.device.revision) == (device.name, device.revision)
    assert await told(enrolling) == []


async def test_switching_a_device_off_and_on_is_announced_once_each(enrolling: Enrolling) -> None:
    [device] = await registered(enrolling)
    for active in (True, False, False, True, True):
        switched = await enrolling.devices.switch(SYSTEM, device.uuid, active=active)
        assert switched.active is active
    assert await told(enrolling) == [DeviceDeactivated, DeviceActivated]


async def test_deactivating_and_activating_does_not_get_past_the_limit(enrolling: Enrolling) -> None:
    """Abuse case 5."""
    first, _ = await registered(enrolling, 2)
    enrolling.quota.most = 2
    await enrolling.devices.switch(SYSTEM, first.uuid, active=False)
    await registered(enrolling)
    with pytest.raises(QuotaExceeded):
        await enrolling.devices.switch(SYSTEM, first.uuid, active=True)
    assert not (await enrolling.devices.overview(SYSTEM, first.uuid)).device.active


async def test_of_many_activated_at_once_only_as_many_get_in_as_may(enrolling: Enrolling) -> None:
    """Abuse case 5."""
    devices = await registered(enrolling, 8)
    for device in devices:
        await enrolling.devices.switch(SYSTEM, device.uuid, active=False)
    enrolling.quota.most = 3
    outcomes = await asyncio.gather(
        *(enrolling.devices.switch(SYSTEM, device.uuid, active=True) for device in devices), return_exceptions=True
    )
    assert sum(isinstance(outcome, Device) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 5


async def test_a_limit_below_what_is_in_service_stops_nobody_who_is(enrolling: Enrolling) -> None:
    """Abuse case 26: a smaller licence never stops devices that were provisioned."""
    devices = await registered(enrolling, 3)
    enrolling.quota.most = 1
    for device in devices:
        assert (await enrolling.devices.switch(SYSTEM, device.uuid, active=True)).active


async def test_a_release_is_announced_and_cannot_be_repeated(enrolling: Enrolling) -> None:
    [device] = await registered(enrolling)
    await enrolling.devices.release(SYSTEM, device.uuid)
    with pytest.raises(Conflict):
        await enrolling.devices.release(SYSTEM, device.uuid)
    assert await told(enrolling) == [DeviceReleased]


async def test_a_removed_device_is_announced_with_its_name_and_then_unknown(enrolling: Enrolling) -> None:
    [device] = await registered(enrolling)
    await enrolling.devices.remove(SYSTEM, device.uuid)
    [event] = await enrolling.events(DeviceRemoved)
    assert (event.uuid, event.name) == (device.uuid, device.name)
    for again in (enrolling.devices.remove, enrolling.devices.release, enrolling.devices.overview):
        with pytest.raises(NotFound):
            await again(SYSTEM, device.uuid)


async def test_a_device_may_look_at_itself_and_remove_itself_and_nothing_else(enrolling: Enrolling) -> None:
    mine, other = await registered(enrolling, 2)
    actor = itself(mine.uuid)
    assert (await enrolling.devices.overview(actor, mine.uuid)).device.uuid == mine.uuid
    for refused in (enrolling.devices.overview, enrolling.devices.remove):
        with pytest.raises(Forbidden):
            await refused(actor, other.uuid)
    with pytest.raises(Forbidden):
        await enrolling.devices.release(actor, mine.uuid)
    with pytest.raises(Forbidden):
        await enrolling.devices.switch(actor, mine.uuid, active=True)
    await enrolling.devices.remove(actor, mine.uuid)
    with pytest.raises(NotFound):
        await enrolling.devices.overview(SYSTEM, mine.uuid)


@pytest.mark.parametrize(
    ("operation", "needed"),
    [
        ("overview", DEVICE_READ),
        ("edit", DEVICE_WRITE),
        ("switch", DEVICE_WRITE),
        ("release", DEVICE_WRITE),
        ("remove", DEVICE_DELETE),
    ],
)
async def test_every_operation_needs_its_permission_before_it_looks_for_the_device(
    enrolling: Enrolling, operation: str, needed: Permission
) -> None:
    devices = enrolling.devices
    others = {DEVICE_READ, DEVICE_WRITE, DEVICE_DELETE} - {needed}

    async def call(actor: Actor) -> None:
        uuid = new_uuid()
        if operation == "edit":
            await devices.edit(actor, uuid, DeviceEdit(name="a"))
        elif operation == "switch":
            await devices.switch(actor, uuid, active=True)
        else:
            await getattr(devices, operation)(actor, uuid)

    with pytest.raises(Unauthenticated):
        await call(STRANGER)
    with pytest.raises(Forbidden) as refusal:
        await call(person(*others))
    assert refusal.value.needed == (needed,)
    with pytest.raises(NotFound):
        await call(person(needed))
