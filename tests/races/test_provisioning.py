"""Devices that enrol at the same moment, and people who change the keys meanwhile."""

from core.actor import SYSTEM
from core.devices import DeviceEdit
from core.errors import Conflict, QuotaExceeded, Unauthenticated
from core.provisioning import DeviceRegistered, ExpectedDevice
from tests.support.enrolment import Enrolling, a_registration
from tests.support.races import Together, done, refused


async def test_of_fifty_devices_at_once_ten_find_the_ten_places(enrolling: Enrolling, transactions: Together) -> None:
    enrolling.quota.most = 10
    _, secret = await enrolling.key()
    outcomes = await transactions.outcomes_of_many(enrolling.register(secret) for _ in range(50))
    assert (done(outcomes), refused(outcomes)) == (10, [QuotaExceeded])
    assert len(await enrolling.events(DeviceRegistered)) == 10
    assert await enrolling.uses() == [10]


async def test_the_places_are_counted_for_all_keys_together(enrolling: Enrolling, transactions: Together) -> None:
    enrolling.quota.most = 2
    secrets = [(await enrolling.key())[1] for _ in range(8)]
    outcomes = await transactions.outcomes(*(enrolling.register(secret) for secret in secrets))
    assert (done(outcomes), refused(outcomes)) == (2, [QuotaExceeded])


async def test_devices_that_come_back_into_service_at_once_need_places(
    enrolling: Enrolling, transactions: Together
) -> None:
    _, secret = await enrolling.key()
    uuids = [(await enrolling.register(secret)).device.uuid for _ in range(4)]
    for uuid in uuids:
        await enrolling.devices.switch(SYSTEM, uuid, active=False)
    enrolling.quota.most = 2
    outcomes = await transactions.outcomes(*(enrolling.devices.switch(SYSTEM, uuid, active=True) for uuid in uuids))
    assert (done(outcomes), refused(outcomes)) == (2, [QuotaExceeded])


async def test_a_key_is_used_no_more_often_than_it_may_be(enrolling: Enrolling, transactions: Together) -> None:
    _, secret = await enrolling.key(max_uses=3)
    outcomes = await transactions.outcomes(*(enrolling.register(secret) for _ in range(8)))
    assert (done(outcomes), refused(outcomes)) == (3, [Unauthenticated])


async def test_a_device_that_asks_several_times_at_once_is_one_device(
    enrolling: Enrolling, transactions: Together
) -> None:
    _, secret = await enrolling.key(max_uses=1)
    wanted = a_registration()
    outcomes = await transactions.outcomes(*(enrolling.register(secret, wanted) for _ in range(4)))
    assert refused(outcomes) == []
    assert await enrolling.uses() == [1]


async def test_a_key_that_is_replaced_twice_at_once_has_one_successor(
    enrolling: Enrolling, transactions: Together
) -> None:
    key, _ = await enrolling.key()
    generated = (enrolling.keys.generate(SYSTEM, replacing=key.id) for _ in range(2))
    await transactions.outcomes(*generated)
    revoked = [event for event in await enrolling.events() if event.NAME == "provisioning_key.revoked"]
    assert len(revoked) == 1


async def test_a_key_is_revoked_once(enrolling: Enrolling, transactions: Together) -> None:
    key, _ = await enrolling.key()
    outcomes = await transactions.outcomes(*(enrolling.keys.revoke(SYSTEM, key.id, "lost") for _ in range(3)))
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])


async def test_a_place_that_two_devices_claim_goes_to_one(enrolling: Enrolling, transactions: Together) -> None:
    token = (await enrolling.preregistrations.create(SYSTEM, ExpectedDevice(name="pump"))).token
    outcomes = await transactions.outcomes(*(enrolling.register(token) for _ in range(4)))
    assert (done(outcomes), refused(outcomes)) == (1, [Unauthenticated])


async def test_a_device_that_claims_its_place_twice_at_once_is_welcome_both_times(
    enrolling: Enrolling, transactions: Together
) -> None:
    token = (await enrolling.preregistrations.create(SYSTEM, ExpectedDevice(name="pump"))).token
    wanted = a_registration()
    outcomes = await transactions.outcomes(*(enrolling.register(token, wanted) for _ in range(3)))
    assert refused(outcomes) == []


async def test_a_device_is_welcomed_back_while_people_edit_it(enrolling: Enrolling, transactions: Together) -> None:
    _, secret = await enrolling.key()
    wanted = a_registration()
    uuid = (await enrolling.register(secret, wanted)).device.uuid
    edits = (enrolling.devices.edit(SYSTEM, uuid, DeviceEdit(**change)) for change in ({"name": "a"}, {"type": "b"}))
    released = enrolling.devices.release(SYSTEM, uuid)
    outcomes = await transactions.outcomes(enrolling.register(secret, wanted), *edits, released)
    assert refused(outcomes) == []
    device = (await enrolling.devices.overview(SYSTEM, uuid)).device
    assert (device.name, device.type) == ("a", "b")


async def test_a_device_is_removed_once(enrolling: Enrolling, transactions: Together) -> None:
    _, secret = await enrolling.key()
    uuid = (await enrolling.register(secret)).device.uuid
    outcomes = await transactions.outcomes(*(enrolling.devices.remove(SYSTEM, uuid) for _ in range(3)))
    assert done(outcomes) == 1
