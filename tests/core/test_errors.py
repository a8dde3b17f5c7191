"""Refusals: words for people, context for the log."""

import pytest

from core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    QuotaExceeded,
    Refusal,
    Unauthenticated,
    Unavailable,
)


@pytest.mark.parametrize("kind", [Invalid, Unauthenticated, Forbidden, NotFound, Conflict, QuotaExceeded, Unavailable])
def test_every_refusal_has_words_and_a_context_of_its_own(kind: type[Refusal]) -> None:
    given = {"reason": "expired"}
    refusal = kind("the words", context=given)
    given["reason"] = "changed later"
    assert (str(refusal), refusal.message, refusal.context) == ("the words", "the words", {"reason": "expired"})
    assert kind("no context").context == {}


def test_an_invalid_value_says_which_field_is_wrong() -> None:
    assert Invalid("too long", field="name").fields == {"name": "too long"}
    assert Invalid("two are wrong", fields={"a": "x", "b": "y"}).fields == {"a": "x", "b": "y"}
    assert Invalid("something is wrong").fields == {}


def test_only_a_quota_of_tries_says_when_to_come_back() -> None:
    assert QuotaExceeded("too many devices").retry_after is None
    assert QuotaExceeded("too many tries", retry_after=3.5).retry_after == 3.5
    assert Unavailable("not now").retry_after > 0
