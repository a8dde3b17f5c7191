"""Enrolment: one transaction, safe to repeat, and never more than may be (contract 2.3, 11.1)."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from adapters.sql.devices import device_keys, devices
from adapters.sql.mqtt import mqtt_users
from core.actor import SYSTEM
from core.devices import ProvisioningState
from core.errors import Conflict, Forbidden, Invalid, QuotaExceeded, Unauthenticated, Unavailable
from core.mqtt import MqttAccounts
from core.provisioning import DeviceKeyExchanged, DeviceRegistered, Enrolment
from tests.support.enrolment import Broken, Enrolling, a_registration, new_secret, new_uuid
from tests.support.mqtt_accounts import some_accounts, some_endpoints


async def rows(enrolling: Enrolling) -> dict[str, int]:
    """How much there is of everything that an enrolment leaves behind."""
    async with enrolling.transactions.read() as tx:
        return {
            table.name: await tx.value(select(func.count()).select_from(table))
            for table in (devices, device_keys, mqtt_users)
        }


NOTHING = {"devices": 0, "device_keys": 0, "mqtt_users": 0}
ONE = {"devices": 1, "device_keys": 1, "mqtt_users": 1}


async def test_a_fresh_device_is_known_may_connect_and_is_charged(enrolling: Enrolling) -> None:
    key, secret = await enrolling.key()
    wanted = a_registration(name=" press 7 ", mac_address="02-00-00-00-00-01")
    enrolled = await enrolling.register(secret, wanted)
    device = enrolled.device
    assert (device.name, device.mac_address, device.fleet_id) == ("press 7", "02:00:00:00:00:01", "tests")
    assert (device.provisioned_by, device.provisioning) == (key.id, ProvisioningState.REGISTERED)
    assert enrolled.fresh
    assert await enrolling.can_log_in(enrolled)
    assert (await enrolling.device_keys.holder(wanted.api_key)).uuid == wanted.uuid
    assert await enrolling.uses() == [1]
    assert await rows(enrolling) == ONE
    [event] = await enrolling.events(DeviceRegistered)
    assert (event.uuid, event.key_id, event.fresh) == (wanted.uuid, key.id, True)


async def test_a_lost_answer_is_given_again_and_only_the_new_password_works(enrolling: Enrolling) -> None:
    """Contract 12.1 item 2; P-01, P-02, P-22, P-26: also with a key that this very device has used up."""
    _, secret = await enrolling.key(max_uses=1)
    wanted = a_registration()
    lost = await enrolling.register(secret, wanted)
    assert await enrolling.can_log_in(lost)
    again = await enrolling.register(secret, wanted)
    assert (again.device.id, again.fresh) == (lost.device.id, False)
    assert await enrolling.can_log_in(again)
    assert not await enrolling.can_log_in(lost)
    assert await enrolling.uses() == [1]
    assert await rows(enrolling) == ONE


async def test_a_device_that_registers_many_times_at_once_is_one_device(enrolling: Enrolling) -> None:
    """Abuse case 1."""
    _, secret = await enrolling.key(max_uses=1)
    wanted = a_registration()
    answers = await asyncio.gather(*(enrolling.register(secret, wanted) for _ in range(16)))
    assert len({answer.device.id for answer in answers}) == 1
    assert [await enrolling.can_log_in(answer) for answer in answers].count(True) == 1
    assert await enrolling.uses() == [1]
    assert await rows(enrolling) == ONE


async def test_what_a_device_says_of_itself_is_renewed_when_it_registers_again(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key()
    wanted = a_registration(agent_version="1.0.84", os_version="Debian 12")
    await enrolling.register(secret, wanted)
    newer = a_registration(uuid=wanted.uuid, api_key=wanted.api_key, agent_version="1.0.85", name="another name")
    device = (await enrolling.register(secret, newer)).device
    assert (device.agent_version, device.os_version, device.name) == ("1.0.85", "Debian 12", "gateway")


async def test_another_key_for_a_known_uuid_conflicts_and_changes_nothing(enrolling: Enrolling) -> None:
    """Contract 12.1 item 4; abuse case 2: no take-over with a valid fleet key."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    victim = await enrolling.register(secret, wanted)
    with pytest.raises(Conflict, match="release"):
        await enrolling.register(secret, a_registration(uuid=wanted.uuid))
    assert (await enrolling.device_keys.holder(wanted.api_key)).uuid == wanted.uuid
    assert await enrolling.can_log_in(victim)
    assert await enrolling.uses() == [1]
    assert enrolling.guesses.counted == []


async def test_a_released_device_comes_back_with_another_key_and_is_charged(enrolling: Enrolling) -> None:
    """Contract 12.1 item 4; P-23."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    first = await enrolling.register(secret, wanted)
    await enrolling.devices.release(SYSTEM, wanted.uuid)
    back = await enrolling.register(secret, a_registration(uuid=wanted.uuid))
    assert (back.device.id, back.device.provisioning) == (first.device.id, ProvisioningState.REGISTERED)
    assert await enrolling.uses() == [2]
    assert await enrolling.can_log_in(back)
    assert not await enrolling.can_log_in(first)
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder(wanted.api_key)
    with pytest.raises(Conflict):
        await enrolling.register(secret, a_registration(uuid=wanted.uuid))


async def test_a_released_device_that_still_has_its_key_is_not_charged(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key(max_uses=1)
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    await enrolling.devices.release(SYSTEM, wanted.uuid)
    again = await enrolling.register(secret, wanted)
    assert again.device.provisioning is ProvisioningState.REGISTERED
    assert await enrolling.uses() == [1]


async def test_a_released_device_needs_a_key_with_a_use_left(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key(max_uses=1)
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    await enrolling.devices.release(SYSTEM, wanted.uuid)
    with pytest.raises(Unauthenticated):
        await enrolling.register(secret, a_registration(uuid=wanted.uuid))
    assert (await enrolling.device_keys.holder(wanted.api_key)).uuid == wanted.uuid


async def test_a_device_out_of_service_does_not_get_in_by_registering_again(enrolling: Enrolling) -> None:
    """Contract 12.1 item 28."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    before = await enrolling.register(secret, wanted)
    await enrolling.devices.release(SYSTEM, wanted.uuid)
    await enrolling.devices.switch(SYSTEM, wanted.uuid, active=False)
    for attempt in (wanted, a_registration(uuid=wanted.uuid)):
        with pytest.raises(Forbidden):
            await enrolling.register(secret, attempt)
    assert not await enrolling.can_log_in(before)
    await enrolling.devices.switch(SYSTEM, wanted.uuid, active=True)
    assert await enrolling.can_log_in(before)


async def test_two_devices_cannot_have_the_same_key(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key()
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    with pytest.raises(Conflict):
        await enrolling.register(secret, a_registration(api_key=wanted.api_key))
    assert await enrolling.uses() == [1]
    assert await rows(enrolling) == ONE


async def test_an_issuer_that_raises_leaves_nothing_behind(enrolling: Enrolling) -> None:
    """Contract 2.3, requirement 3; P-14, P-24: no device, no key, no account, no use, nothing told."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    enrolling.enrolments.issue_with([enrolling.accounts, Broken()])
    with pytest.raises(RuntimeError):
        await enrolling.register(secret, wanted)
    assert await rows(enrolling) == NOTHING
    assert await enrolling.uses() == [0]
    assert await enrolling.events(DeviceRegistered) == []
    enrolling.enrolments.issue_with([enrolling.accounts])
    assert (await enrolling.register(secret, wanted)).fresh


async def test_an_issuer_that_raises_does_not_spoil_the_password_that_worked(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key()
    wanted = a_registration()
    before = await enrolling.register(secret, wanted)
    enrolling.enrolments.issue_with([enrolling.accounts, Broken()])
    with pytest.raises(RuntimeError):
        await enrolling.register(secret, wanted)
    assert await enrolling.can_log_in(before)


async def test_before_the_broker_has_started_nobody_is_registered(
    enrolling: Enrolling, accounts_of_no_broker: MqttAccounts
) -> None:
    _, secret = await enrolling.key()
    enrolling.enrolments.issue_with([accounts_of_no_broker])
    with pytest.raises(Unavailable):
        await enrolling.register(secret)
    assert await rows(enrolling) == NOTHING


@pytest.fixture
def accounts_of_no_broker(transactions: Any, signals: Any, clock: Any, liveness: Any) -> MqttAccounts:
    """Accounts of a broker that has not started."""
    return some_accounts(transactions, signals, clock, liveness, endpoints=some_endpoints(None))


async def test_of_64_registrations_at_once_with_a_key_for_one_exactly_one_gets_in(enrolling: Enrolling) -> None:
    """Abuse case 4; P-07."""
    _, secret = await enrolling.key(max_uses=1)
    outcomes = await asyncio.gather(*(enrolling.register(secret) for _ in range(64)), return_exceptions=True)
    assert Counter(map(type, outcomes)) == {Enrolment: 1, Unauthenticated: 63}
    assert await enrolling.uses() == [1]
    assert await rows(enrolling) == ONE


async def test_of_many_registrations_at_once_only_as_many_get_in_as_the_plan_allows(enrolling: Enrolling) -> None:
    """Abuse case 5; P-08, P-09."""
    _, secret = await enrolling.key()
    enrolling.quota.most = 3
    outcomes = await asyncio.gather(*(enrolling.register(secret) for _ in range(20)), return_exceptions=True)
    assert Counter(map(type, outcomes)) == {Enrolment: 3, QuotaExceeded: 17}
    assert await enrolling.uses() == [3]
    assert all(outcome.retry_after is None for outcome in outcomes if isinstance(outcome, QuotaExceeded))


async def test_a_limit_of_none_is_no_limit_and_of_zero_is_nobody(enrolling: Enrolling) -> None:
    """P-10."""
    _, secret = await enrolling.key()
    await enrolling.register(secret)
    enrolling.quota.most = 0
    with pytest.raises(QuotaExceeded):
        await enrolling.register(secret)


async def test_at_the_limit_a_known_device_still_gets_its_answer_again(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key()
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    enrolling.quota.most = 1
    assert not (await enrolling.register(secret, wanted)).fresh


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"mac_address": "x"}, {"mac_address": None}),
        ({"os_version": "x" * 101}, {"os_version": "x" * 100}),
        ({"os_version": ""}, {"os_version": None}),
        ({"agent_version": "a\nb\x00"}, {"agent_version": "ab"}),
    ],
)
async def test_an_odd_description_does_not_keep_a_device_out(
    enrolling: Enrolling, told: dict[str, str], kept: dict[str, str | None]
) -> None:
    """Agents do not try again (contract §2.3, G-02)."""
    _, secret = await enrolling.key()
    device = (await enrolling.register(secret, a_registration(**told))).device
    assert {name: getattr(device, name) for name in kept} == kept


async def test_a_device_without_a_proper_name_costs_no_use(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key()
    for wrong in ({"name": ""}, {"name": "x" * 256}, {"type": "a\nb"}):
        with pytest.raises(Invalid):
            await enrolling.register(secret, a_registration(**wrong))
    assert await enrolling.uses() == [0]
    assert await rows(enrolling) == NOTHING


async def test_a_key_exchange_can_be_repeated(enrolling: Enrolling) -> None:
    """Contract 12.1 items 1 and 3; P-28."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    for _ in range(15):
        device = await enrolling.enrolments.exchange_key(wanted.uuid, wanted.api_key, wanted.api_key)
        assert device.uuid == wanted.uuid
    assert len(await enrolling.events(DeviceKeyExchanged)) == 15


async def test_a_key_exchange_needs_the_devices_own_key_twice(enrolling: Enrolling) -> None:
    """P-19: whoever has no key learns nothing of a uuid."""
    _, secret = await enrolling.key()
    mine, other = a_registration(), a_registration()
    await enrolling.register(secret, mine)
    await enrolling.register(secret, other)
    messages = set()
    for uuid, presented, repeated in (
        (mine.uuid, other.api_key, other.api_key),
        (mine.uuid, mine.api_key, other.api_key),
        (mine.uuid, new_secret(), mine.api_key),
        (new_uuid(), mine.api_key, mine.api_key),
        (new_uuid(), new_secret(), new_secret()),
    ):
        with pytest.raises(Unauthenticated) as refusal:
            await enrolling.enrolments.exchange_key(uuid, presented, repeated)
        messages.add(refusal.value.message)
    assert len(messages) == 1
    assert await enrolling.events(DeviceKeyExchanged) == []


async def test_a_device_out_of_service_cannot_exchange_its_key(enrolling: Enrolling) -> None:
    _, secret = await enrolling.key()
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    await enrolling.devices.switch(SYSTEM, wanted.uuid, active=False)
    with pytest.raises(Forbidden):
        await enrolling.enrolments.exchange_key(wanted.uuid, wanted.api_key, wanted.api_key)
