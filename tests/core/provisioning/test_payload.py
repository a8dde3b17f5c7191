"""What a device has sealed is read strictly: as one thing, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.provisioning import Proof
from core.provisioning.payload import LARGEST, read_payload
from tests.support.odd import anything

SAID: dict[str, Any] = {
    "deviceUuid": "5F3A1DEB-f4c3-4e1b-8e76-70de4d2e3f56",
    "provisioningApiKey": "ab" * 32,
    "deviceName": "gate 7",
    "deviceType": "gateway",
    "macAddress": "02-00-00-00-00-01",
    "osVersion": None,
    "challenge": "xyz",
}


def test_a_payload_becomes_a_registration() -> None:
    payload = read_payload(json.dumps(SAID).encode())
    assert payload is not None
    assert (payload.secret, payload.challenge) == ("ab" * 32, "xyz")
    wanted = payload.registration(api_key="cd" * 32, address="192.0.2.7", proof=Proof(fingerprint="f"))
    assert wanted.uuid == "5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56"
    assert (wanted.name, wanted.type, wanted.mac_address) == ("gate 7", "gateway", "02:00:00:00:00:01")
    assert (wanted.api_key, wanted.ip_address, wanted.fingerprint) == ("cd" * 32, "192.0.2.7", "f")
    assert (wanted.os_version, wanted.agent_version) == (None, None)
    assert "ab" * 32 not in repr(payload)


@pytest.mark.parametrize("missing", ["deviceUuid", "provisioningApiKey", "deviceName", "deviceType"])
def test_a_payload_without_a_field_it_needs_is_none(missing: str) -> None:
    assert read_payload(json.dumps({name: value for name, value in SAID.items() if name != missing}).encode()) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"deviceUuid": "x"},
        {"deviceUuid": 7},
        {"deviceName": ""},
        {"deviceName": "a\nb"},
        {"deviceName": "x" * 256},
        {"deviceName": ["x"]},
        {"deviceType": "x" * 101},
        {"deviceType": {}},
        {"provisioningApiKey": "x" * 257},
        {"provisioningApiKey": True},
        {"challenge": 7},
        {"macAddress": ["02"]},
    ],
)
def test_a_payload_with_an_odd_value_is_none(wrong: dict[str, Any]) -> None:
    assert read_payload(json.dumps(SAID | wrong).encode()) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        json.dumps(SAID).encode()[:-1],
        json.dumps(SAID).encode() + b"x",
        b"[" * 10_000,
        b'{"a":' * 3_000,
        json.dumps(SAID | {"x": "y" * LARGEST}).encode(),
        json.dumps(SAID).encode()[:-1] + b', "deviceName": "another"}',
        json.dumps(SAID).encode()[:-1] + b', "x": NaN}',
        json.dumps(SAID).encode()[:-1] + b', "x": ' + b"9" * 5_000 + b"}",
    ],
)
def test_abuse_9_what_is_no_payload_is_none(content: bytes) -> None:
    """Cut off, nested too deeply, too large, said twice, no number: none of it harms anybody."""
    assert read_payload(content) is None


def test_a_name_with_a_lone_surrogate_is_none() -> None:
    assert read_payload(json.dumps(SAID | {"deviceName": "\ud800"}).encode()) is None


@given(anything)
def test_any_other_json_is_none(value: Any) -> None:
    assert read_payload(json.dumps(value).encode()) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_none(content: bytes) -> None:
    assert read_payload(content) is None
