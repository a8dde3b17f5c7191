"""Provisioning keys and registrations as values."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import Conflict, Invalid
from core.provisioning import NewProvisioningKey
from tests.support.clock import NOON
from tests.support.enrolment import a_key, a_registration

DAY = timedelta(days=1)


def test_a_key_opens_until_the_moment_it_expires() -> None:
    key = a_key(expires_at=NOON + DAY)
    assert key.opens(NOON + DAY - timedelta(microseconds=1))
    assert not key.opens(NOON + DAY)


def test_a_revoked_key_opens_nothing_and_cannot_be_revoked_again() -> None:
    revoked = a_key().revoked("stolen")
    assert (revoked.opens(NOON), revoked.revoked_reason) == (False, "stolen")
    with pytest.raises(Conflict):
        revoked.revoked("again")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_uses": 0},
        {"max_uses": -1},
        {"max_uses": 10_001},
        {"max_uses": 10**30},
        {"fleet_id": ""},
        {"fleet_id": "a\nb"},
        {"fleet_id": "x" * 256},
        {"description": "x" * 1001},
        {"description": "a\0"},
        {"revoked_reason": "x" * 1001},
        {"revoked_reason": "a\nb"},
    ],
)
def test_a_key_with_odd_values_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        a_key(**wrong)


def test_the_end_of_a_key_is_given_in_days_or_as_a_moment() -> None:
    assert NewProvisioningKey(fleet_id="a", expires_in_days=7).end(NOON) == NOON + 7 * DAY
    assert NewProvisioningKey(fleet_id="a", expires_at=NOON + DAY, expires_in_days=7).end(NOON) == NOON + DAY


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_in_days": 0},
        {"expires_in_days": 3651},
        {"expires_in_days": 10**18},
        {"expires_at": NOON},
        {"expires_at": NOON - DAY},
        {"expires_at": NOON + 3652 * DAY},
        {"expires_at": (NOON + DAY).replace(tzinfo=None)},
        {"expires_at": datetime.fromisoformat("9999-12-31T23:59:59-23:59")},
        {"expires_at": datetime.fromisoformat("0001-01-01T00:00:00+23:59")},
    ],
)
def test_an_end_that_is_past_or_too_far_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        NewProvisioningKey(fleet_id="a", **wrong).end(NOON)


@pytest.mark.parametrize(
    "wrong", [{"api_key": "short"}, {"name": ""}, {"name": "a\n"}, {"type": "x" * 101}, {"name": "x" * 256}]
)
def test_a_registration_with_odd_values_is_refused(wrong: dict[str, str]) -> None:
    """Contract 2.3, requirement 4."""
    with pytest.raises(Invalid):
        a_registration(**wrong)


def test_secrets_are_shown_by_no_repr() -> None:
    registration = a_registration()
    assert registration.api_key not in repr(registration)
    key = a_key()
    assert key.digest not in repr(key)
