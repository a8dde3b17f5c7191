"""Devices that are expected, and what becomes of them when they come (contract §11.1 P-16)."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from adapters.sql.device_state import deployed_states
from adapters.sql.devices import devices
from core.actor import STRANGER, SYSTEM
from core.devices import (
    DEVICE_READ,
    DEVICE_WRITE,
    DeviceEdit,
    DeviceEvent,
    DeviceQuery,
    DeviceRemoved,
    ProvisioningState,
)
from core.errors import Conflict, Forbidden, Invalid, QuotaExceeded, Unauthenticated
from core.events import Announced
from core.provisioning import (
    DevicePreregistered,
    DeviceRegistered,
    Enrolment,
    ExpectedDevice,
    PendingDeviceClaimed,
    Preregistration,
    Proof,
    ProvisioningKeyRevoked,
    RegistrationRefused,
)
from tests.support.enrolment import Enrolling, a_registration, new_secret
from tests.support.states import person
from tests.support.tagging import Tagging

MAC = "02:00:00:00:00:07"


async def expected(enrolling: Enrolling, **wanted: Any) -> Preregistration:
    """A device that an operator expects."""
    return await enrolling.preregistrations.create(SYSTEM, ExpectedDevice(**{"name": "press 7", **wanted}))


async def refusal_of(enrolling: Enrolling, token: str, **fields: Any) -> str:
    """The reason, as the audit log has it, for which a registration is refused."""
    with pytest.raises(Unauthenticated):
        await enrolling.register(token, a_registration(**fields))
    reason: str = (await enrolling.events(RegistrationRefused))[-1].reason
    return reason


async def known(enrolling: Enrolling) -> list[tuple[str, ProvisioningState]]:
    """All devices, by name."""
    page = await enrolling.devices.page(SYSTEM, DeviceQuery())
    return [(each.device.name, each.device.provisioning) for each in page.items]


async def test_an_expected_device_is_pending_and_its_token_is_for_one_use_in_thirty_days(enrolling: Enrolling) -> None:
    made = await expected(enrolling, mac_address="02-00-00-00-00-07", ip_address="192.0.2.7", fleet_id="plant")
    assert await known(enrolling) == [("press 7", ProvisioningState.PENDING)]
    assert (made.device.mac_address, made.device.ip_address, made.device.fleet_id) == (MAC, "192.0.2.7", "plant")
    [key] = await enrolling.keys.of_fleet(SYSTEM, "plant")
    assert (key.max_uses, key.uses, key.device_uuid) == (1, 0, made.device.uuid)
    assert key.expires_at == made.expires_at == enrolling.clock.now() + timedelta(days=30)
    [event] = await enrolling.events(DevicePreregistered)
    assert (event.uuid, event.name, event.key_id) == (made.device.uuid, "press 7", key.id)
    assert made.token not in repr(made)


async def test_the_device_that_comes_is_the_expected_one_under_its_own_uuid(enrolling: Enrolling) -> None:
    made = await expected(enrolling, type="gateway")
    wanted = a_registration(name="device-1234", type="standalone", agent_version="1.0.84", mac_address=MAC)
    enrolled = await enrolling.register(made.token, wanted)
    device = enrolled.device
    assert (device.id, device.uuid) == (made.device.id, wanted.uuid)
    assert (device.name, device.type, device.provisioning) == ("press 7", "gateway", ProvisioningState.REGISTERED)
    assert (device.agent_version, device.mac_address) == ("1.0.84", MAC)
    assert device.provisioned_at == enrolling.clock.now()
    assert enrolled.fresh
    assert await enrolling.can_log_in(enrolled)
    assert (await enrolling.device_keys.holder(wanted.api_key)).uuid == wanted.uuid
    assert await known(enrolling) == [("press 7", ProvisioningState.REGISTERED)]
    [claimed] = await enrolling.events(PendingDeviceClaimed)
    [registered] = await enrolling.events(DeviceRegistered)
    assert (claimed.uuid, claimed.pending_uuid) == (wanted.uuid, made.device.uuid)
    assert (registered.uuid, registered.name, registered.fresh) == (wanted.uuid, "press 7", True)
    assert not await enrolling.events(DeviceRemoved)


async def test_its_tags_and_its_state_come_along(tagging: Tagging) -> None:
    enrolling = tagging.enrolling
    made = await expected(enrolling)
    await tagging.tags.replace(SYSTEM, made.device.uuid, {"site": "Roth"})
    wanted = a_registration()
    await enrolling.register(made.token, wanted)
    assert await tagging.tags.of(SYSTEM, wanted.uuid) == {"site": "Roth"}
    async with enrolling.transactions.read() as tx:
        theirs = select(deployed_states.c.device_uuid)
        assert [row.device_uuid for row in await tx.rows(theirs)] == [wanted.uuid]
        assert await tx.value(select(func.count()).select_from(devices)) == 1


async def test_a_type_that_nobody_told_is_what_the_device_says(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    assert (await enrolling.register(made.token, a_registration(type="standalone"))).device.type == "standalone"


async def test_an_edit_of_a_pending_device_counts_as_what_the_operator_gave(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    await enrolling.devices.edit(SYSTEM, made.device.uuid, DeviceEdit(name="press 8", type="gateway"))
    device = (await enrolling.register(made.token)).device
    assert (device.name, device.type) == ("press 8", "gateway")


async def test_a_device_that_was_given_the_pending_uuid_may_keep_it(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    enrolled = await enrolling.register(made.token, a_registration(uuid=made.device.uuid))
    assert (enrolled.device.id, enrolled.fresh) == (made.device.id, True)


async def test_a_lost_answer_is_given_again(enrolling: Enrolling) -> None:
    """Contract 12.1 item 2, for tokens."""
    made = await expected(enrolling)
    wanted = a_registration()
    await enrolling.register(made.token, wanted)
    again = await enrolling.register(made.token, wanted)
    assert (again.device.id, again.fresh) == (made.device.id, False)
    assert await enrolling.can_log_in(again)
    assert await enrolling.uses() == [1]


async def test_a_token_works_by_v2_as_well(enrolling: Enrolling) -> None:
    """The device has a new API key each time, and proves by its own key that it is the same one."""
    made = await expected(enrolling)
    wanted = a_registration(proof=Proof(fingerprint="f"))
    await enrolling.register(made.token, wanted)
    again = await enrolling.register(made.token, a_registration(uuid=wanted.uuid, proof=Proof(fingerprint="f")))
    assert (again.device.id, again.fresh) == (made.device.id, False)
    with pytest.raises(Conflict):
        await enrolling.register(made.token, a_registration(uuid=wanted.uuid, proof=Proof(fingerprint="g")))


async def test_a_token_lets_in_nobody_else_once_it_is_used(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    wanted = a_registration()
    await enrolling.register(made.token, wanted)
    assert await refusal_of(enrolling, made.token) == "key used up"
    with pytest.raises(Conflict):
        await enrolling.register(made.token, a_registration(uuid=wanted.uuid, api_key=new_secret()))
    assert len(await known(enrolling)) == 1


async def test_of_64_that_show_the_same_token_at_once_one_gets_in(enrolling: Enrolling) -> None:
    """Abuse case 4."""
    made = await expected(enrolling)
    outcomes = await asyncio.gather(*(enrolling.register(made.token) for _ in range(64)), return_exceptions=True)
    assert Counter(map(type, outcomes)) == {Enrolment: 1, Unauthenticated: 63}
    assert await known(enrolling) == [("press 7", ProvisioningState.REGISTERED)]


async def test_only_the_device_with_the_expected_mac_address_gets_in(enrolling: Enrolling) -> None:
    made = await expected(enrolling, mac_address=MAC)
    for other in ("02:00:00:00:00:08", None):
        assert await refusal_of(enrolling, made.token, mac_address=other) == "another MAC address"
    assert await enrolling.uses() == [0]
    assert (await enrolling.register(made.token, a_registration(mac_address=MAC.lower()))).device.id == made.device.id


async def test_an_ordinary_key_does_not_lead_to_a_pending_device(enrolling: Enrolling) -> None:
    """Abuse case 2: not even with its uuid and its MAC address."""
    made = await expected(enrolling, mac_address=MAC)
    _, secret = await enrolling.key()
    with pytest.raises(Conflict):
        await enrolling.register(secret, a_registration(uuid=made.device.uuid, mac_address=MAC))
    await enrolling.register(secret, a_registration(mac_address=MAC))
    assert sorted(state.value for _, state in await known(enrolling)) == ["pending", "registered"]


async def test_a_device_that_is_registered_already_does_not_take_the_place_of_another(enrolling: Enrolling) -> None:
    """Abuse case 2: neither a victim's uuid nor one's own."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    victim = await enrolling.register(secret, wanted)
    made = await expected(enrolling)
    for attempt in (wanted, a_registration(uuid=wanted.uuid)):
        with pytest.raises(Conflict):
            await enrolling.register(made.token, attempt)
    assert await enrolling.can_log_in(victim)
    assert (await enrolling.register(made.token)).device.id == made.device.id


async def test_a_token_is_good_for_thirty_days(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    enrolling.clock.advance(days=30)
    assert await refusal_of(enrolling, made.token) == "expired key"


async def test_the_token_of_a_removed_device_is_good_for_nothing_and_noted_as_revoked(enrolling: Enrolling) -> None:
    made, other = await expected(enrolling), await expected(enrolling, name="press 8")
    await enrolling.devices.remove(SYSTEM, made.device.uuid)
    assert await refusal_of(enrolling, made.token) == "revoked key"
    [removed] = await enrolling.events(DeviceRemoved)
    for _ in range(2):
        await enrolling.preregistrations.revoke(Announced(id=1, event=removed))
    [event] = await enrolling.events(ProvisioningKeyRevoked)
    active = {key.device_uuid for key in await enrolling.keys.of_fleet(SYSTEM, None) if key.is_active}
    assert active == {other.device.uuid}
    assert event.by == "system"
    assert await refusal_of(enrolling, made.token) == "revoked key"
    assert await known(enrolling) == [("press 8", ProvisioningState.PENDING)]


async def test_a_revoked_token_is_no_token(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    [key] = await enrolling.keys.of_fleet(SYSTEM, None)
    await enrolling.keys.revoke(SYSTEM, key.id)
    assert await refusal_of(enrolling, made.token) == "revoked key"


async def test_a_pending_device_takes_no_place_until_it_comes(enrolling: Enrolling) -> None:
    """Abuse case 5; P-08."""
    _, secret = await enrolling.key()
    made = [await expected(enrolling, name=f"press {number}") for number in range(3)]
    enrolling.quota.most = 2
    await enrolling.register(secret)
    await enrolling.register(made[0].token)
    with pytest.raises(QuotaExceeded):
        await enrolling.register(made[1].token)
    assert Counter(state.value for _, state in await known(enrolling)) == {"registered": 2, "pending": 2}
    enrolling.quota.most = 3
    await enrolling.register(made[1].token)


async def test_a_pending_device_out_of_service_is_not_let_in(enrolling: Enrolling) -> None:
    made = await expected(enrolling)
    await enrolling.devices.switch(SYSTEM, made.device.uuid, active=False)
    with pytest.raises(Forbidden):
        await enrolling.register(made.token)
    await enrolling.devices.switch(SYSTEM, made.device.uuid, active=True)
    await enrolling.register(made.token)


async def test_a_pending_device_cannot_be_released_but_once_it_has_come_it_can(enrolling: Enrolling) -> None:
    """P-23."""
    made = await expected(enrolling)
    with pytest.raises(Conflict):
        await enrolling.devices.release(SYSTEM, made.device.uuid)
    wanted = a_registration()
    await enrolling.register(made.token, wanted)
    await enrolling.devices.release(SYSTEM, wanted.uuid)
    assert await refusal_of(enrolling, made.token, uuid=wanted.uuid) == "key used up"
    _, secret = await enrolling.key()
    assert (await enrolling.register(secret, a_registration(uuid=wanted.uuid))).device.id == made.device.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 256},
        {"type": "x" * 101},
        {"mac_address": "x"},
        {"ip_address": "x"},
    ],
)
async def test_what_is_said_wrongly_of_an_expected_device_is_refused(
    enrolling: Enrolling, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        await expected(enrolling, **wrong)
    assert await known(enrolling) == []
    assert await enrolling.events(DeviceEvent) == []


async def test_expecting_a_device_needs_the_permission_to_write_devices(enrolling: Enrolling) -> None:
    create = enrolling.preregistrations.create
    with pytest.raises(Unauthenticated):
        await create(STRANGER, ExpectedDevice(name="a"))
    with pytest.raises(Forbidden):
        await create(person(DEVICE_READ), ExpectedDevice(name="a"))
    made = await create(person(DEVICE_WRITE), ExpectedDevice(name="a"))
    assert made.device.provisioning is ProvisioningState.PENDING
