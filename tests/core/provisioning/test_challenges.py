"""Challenges: our own, for one device and one key, for a while; and nothing is kept of them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.system import SystemIds
from core.ids import DeviceUuid
from core.provisioning import Challenges
from tests.support.clock import NOON, TestClock
from tests.support.enrolment import new_uuid

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")
KEY = "ab" * 32


@pytest.fixture
def challenges(clock: TestClock) -> Challenges:
    """Challenges of a server."""
    return Challenges(secret="one", clock=clock, ids=SystemIds())


def test_a_challenge_is_known_again_until_its_end(challenges: Challenges, clock: TestClock) -> None:
    challenge = challenges.issue(UUID, KEY)
    assert challenge.expires_at == NOON + timedelta(minutes=10)
    assert challenges.recognised(challenge.text, UUID, KEY) == challenge
    clock.advance(minutes=9, seconds=59)
    assert challenges.recognised(challenge.text, UUID, KEY) == challenge
    clock.advance(seconds=1)
    assert challenges.recognised(challenge.text, UUID, KEY) is None


def test_a_challenge_is_good_for_one_device_with_one_key(challenges: Challenges) -> None:
    challenge = challenges.issue(UUID, KEY).text
    assert challenges.recognised(challenge, new_uuid(), KEY) is None
    assert challenges.recognised(challenge, UUID, "cd" * 32) is None
    assert challenges.recognised(challenge, UUID) is None
    assert challenges.recognised(challenges.issue(UUID).text, UUID, KEY) is None


def test_no_two_challenges_are_alike(challenges: Challenges) -> None:
    assert len({challenges.issue(UUID, KEY).text for _ in range(100)}) == 100


def test_another_process_with_the_same_secret_knows_them_and_one_with_another_does_not(
    challenges: Challenges, clock: TestClock
) -> None:
    text = challenges.issue(UUID, KEY).text
    assert Challenges(secret="one", clock=clock, ids=SystemIds()).recognised(text, UUID, KEY)
    assert Challenges(secret="two", clock=clock, ids=SystemIds()).recognised(text, UUID, KEY) is None


def test_each_character_of_a_challenge_counts(challenges: Challenges) -> None:
    text = challenges.issue(UUID, KEY).text
    for place, letter in enumerate(text):
        other = text[:place] + ("A" if letter != "A" else "B") + text[place + 1 :]
        assert challenges.recognised(other, UUID, KEY) is None, place


@given(text=st.text(st.characters(), max_size=60) | st.binary(min_size=34, max_size=34).map(bytes.hex))
def test_whatever_else_is_shown_is_no_challenge(text: str) -> None:
    assert Challenges(secret="one", clock=TestClock(), ids=SystemIds()).recognised(text, UUID, KEY) is None


def test_a_challenge_does_not_show_when_it_is_printed(challenges: Challenges) -> None:
    challenge = challenges.issue(UUID, KEY)
    assert challenge.text not in repr(challenge)
