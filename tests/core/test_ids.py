"""Names of devices: one device, one name (abuse case 3)."""

from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.system import SystemIds
from core.errors import Invalid
from core.ids import device_uuid

CANONICAL = "5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56"


@pytest.mark.parametrize("text", [CANONICAL, CANONICAL.upper(), CANONICAL.title()])
def test_letters_of_either_case_are_the_same_device(text: str) -> None:
    assert device_uuid(text) == CANONICAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{{{CANONICAL}}}",
        f"urn:uuid:{CANONICAL}",
        f" {CANONICAL}",
        f"{CANONICAL} ",
        f"{CANONICAL}\n",
        f"{CANONICAL}\0",
        CANONICAL.replace("-", ""),
        CANONICAL[:-1] + "\0",
        CANONICAL[:-1] + " ",
        CANONICAL.replace("5", "\uff15"),
        CANONICAL.replace("5", "\u0665"),
        CANONICAL.replace("-", "\u2010"),
        CANONICAL.replace("e", "\u0435"),
        "5f3a1debf-4c3-4e1b-8e76-70de4d2e3f56",
        "../../../../../../../../../etc/passwd",
        "+" * 36,
        "\ud800" * 36,
    ],
)
def test_whatever_is_not_the_plain_form_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        device_uuid(text)
    assert list(refusal.value.fields) == ["uuid"]


@pytest.mark.parametrize("value", [None, 7, b"5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56", [CANONICAL], uuid4()])
def test_whatever_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        device_uuid(value)


@given(st.uuids())
def test_every_uuid_is_its_own_canonical_form(uuid: object) -> None:
    assert device_uuid(str(uuid)) == str(uuid)


@given(st.text(max_size=40))
def test_nothing_but_a_uuid_passes_and_nothing_else_is_raised(text: str) -> None:
    with suppress(Invalid):
        assert device_uuid(text) == text.lower()


def test_secrets_are_as_long_as_wanted_and_never_the_same() -> None:
    ids = SystemIds()
    secrets = {ids.secret() for _ in range(100)}
    assert {len(secret) for secret in secrets} == {64}
    assert len(secrets) == 100
    assert device_uuid(ids.uuid()) != device_uuid(ids.uuid())
