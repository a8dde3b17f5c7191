"""What people do with provisioning keys."""

from datetime import timedelta

import pytest

from core.actor import STRANGER, SYSTEM, Actor
from core.digests import digest_of
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from core.ids import ProvisioningKeyId
from core.provisioning import (
    API_KEY_CREATE,
    API_KEY_READ,
    API_KEY_REVOKE,
    NewProvisioningKey,
    ProvisioningKeyCreated,
    ProvisioningKeyRevoked,
)
from tests.support.enrolment import Enrolling
from tests.support.states import person


async def test_a_new_key_is_64_hexadecimal_digits_and_only_its_digest_is_kept(enrolling: Enrolling) -> None:
    key, secret = await enrolling.key(description="for the plant")
    assert (len(secret), int(secret, 16) > 0) == (64, True)
    assert key.digest == digest_of(secret)
    assert await enrolling.keys.of_fleet(SYSTEM, "tests") == [key]
    [event] = await enrolling.events(ProvisioningKeyCreated)
    assert (event.key_id, event.fleet_id, event.max_uses) == (key.id, "tests", 100)
    assert secret not in repr(event)
    assert key.digest not in repr(event)


async def test_a_key_that_is_refused_is_not_kept(enrolling: Enrolling) -> None:
    for wrong in ({"max_uses": 0}, {"expires_in_days": 0}, {"fleet_id": ""}):
        with pytest.raises(Invalid):
            await enrolling.key(**wrong)
    assert await enrolling.keys.of_fleet(SYSTEM, None) == []
    assert await enrolling.events() == []


async def test_a_generated_key_is_for_one_device_within_thirty_days(enrolling: Enrolling) -> None:
    key, secret = await enrolling.keys.generate(SYSTEM)
    assert (key.max_uses, key.fleet_id) == (1, "default-fleet")
    assert key.expires_at - enrolling.clock.now() == timedelta(days=30)
    await enrolling.register(secret)
    with pytest.raises(Unauthenticated):
        await enrolling.register(secret)


async def test_the_key_that_is_replaced_is_good_no_more(enrolling: Enrolling) -> None:
    old, secret = await enrolling.keys.generate(SYSTEM)
    new, _ = await enrolling.keys.generate(SYSTEM, replacing=old.id)
    newer, _ = await enrolling.keys.generate(SYSTEM, replacing=old.id)
    with pytest.raises(Unauthenticated):
        await enrolling.register(secret)
    [event] = await enrolling.events(ProvisioningKeyRevoked)
    assert (event.key_id, event.reason) == (old.id, "replaced")
    assert new.id != newer.id


async def test_replacing_an_unknown_key_makes_none(enrolling: Enrolling) -> None:
    with pytest.raises(NotFound):
        await enrolling.keys.generate(SYSTEM, replacing=ProvisioningKeyId("unknown"))
    assert await enrolling.keys.of_fleet(SYSTEM, None) == []


async def test_a_revoked_key_enrols_nobody_and_those_it_enrolled_are_not_affected(enrolling: Enrolling) -> None:
    """P-27."""
    key, secret = await enrolling.key()
    enrolled = await enrolling.register(secret)
    await enrolling.keys.revoke(person(API_KEY_REVOKE), key.id, "lost")
    with pytest.raises(Unauthenticated):
        await enrolling.register(secret)
    assert await enrolling.can_log_in(enrolled)
    [event] = await enrolling.events(ProvisioningKeyRevoked)
    assert (event.key_id, event.reason, event.by) == (key.id, "lost", "user:7:anna")
    with pytest.raises(Conflict):
        await enrolling.keys.revoke(SYSTEM, key.id)


async def test_revoking_an_unknown_key_is_not_found(enrolling: Enrolling) -> None:
    with pytest.raises(NotFound):
        await enrolling.keys.revoke(SYSTEM, ProvisioningKeyId("unknown"))


async def test_every_operation_needs_its_permission(enrolling: Enrolling) -> None:
    keys, wanted, unknown = enrolling.keys, NewProvisioningKey(fleet_id="tests"), ProvisioningKeyId("unknown")

    async def each(actor: Actor, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            await keys.create(actor, wanted)
        with pytest.raises(refusal):
            await keys.generate(actor)
        with pytest.raises(refusal):
            await keys.of_fleet(actor, None)
        with pytest.raises(refusal):
            await keys.revoke(actor, unknown)

    await each(STRANGER, Unauthenticated)
    await each(person(), Forbidden)
    for wrong in (person(API_KEY_READ), person(API_KEY_REVOKE)):
        with pytest.raises(Forbidden):
            await keys.create(wrong, wanted)
    assert (await keys.create(person(API_KEY_CREATE), wanted))[0].created_by == "user:7:anna"
