"""Contract 12.4 item 60, abuse cases 1, 2, 8, 10, 11: provisioning v2 against those who listen, bend and guess."""

import json
import logging
import os
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from adapters.sql.enrolment_sessions import enrolment_sessions
from adapters.sql.transactions import sql
from core.actor import SYSTEM, Role
from core.provisioning import NewProvisioningKey
from tests.contracts.server_keys import invalid_blocks
from tests.support.application import Answer, Api, Caller, running_api
from tests.support.clock import TestClock
from tests.support.enrolment import new_secret
from tests.support.sealing import (
    SealingDevice,
    base64,
    enrolled,
    fingerprint,
    offered,
    public_pem,
    rsa_key,
    sealed_parts,
    server_key,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXCHANGE = "/provisioning/v2/key-exchange"
REGISTER = "/provisioning/v2/register"
ADDRESSES = (f"203.0.113.{n}" for n in count(1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """An application behind a proxy, so that each attacker may have an address of his own."""
    async with running_api(tmp_path_factory.mktemp("v2") / "data", TRUSTED_PROXIES="127.0.0.0/8") as api:
        yield api


def somebody(api: Api) -> Caller:
    """Somebody from an address that has done nothing yet."""
    return Caller(api.http, api.running.url, {"X-Forwarded-For": next(ADDRESSES)})


async def devices_of(api: Api) -> int:
    """How many devices there are."""
    owner = await api.person(Role.OWNER)
    known: int = (await owner.get("/devices")).body["pagination"]["totalDevices"]
    return known


async def registrations(api: Api, device: SealingDevice, secret: str) -> Mapping[str, dict[str, Any]]:
    """Registrations in each of which one thing inside is wrong."""
    offer = await offered(api.stranger, device)
    payload = device.payload(offer, secret)
    other = SealingDevice(key=rsa_key(1))
    foreign = await offered(api.stranger, other)
    good = device.envelope(offer, payload)
    key = server_key(offer)
    wrong = {
        "unknown key": device.envelope(offer, device.payload(offer, new_secret())),
        "no provisioning key": device.envelope(offer, device.payload(offer, secret, provisioningApiKey=None)),
        "odd uuid": device.envelope(offer, device.payload(offer, secret, deviceUuid="x")),
        "no name": device.envelope(offer, device.payload(offer, secret, deviceName="")),
        "no JSON": device.envelope(offer, b"{"),
        "no object": device.envelope(offer, b"[]"),
        "no challenge": device.envelope(offer, device.payload(offer, secret, challenge=None)),
        "a made up challenge": device.envelope(offer, device.payload(offer, secret, challenge="A" * 46)),
        "the challenge of another device": device.envelope(offer, device.payload(foreign, secret)),
        "another uuid than the challenge's": device.envelope(
            offer, device.payload(offer, secret, deviceUuid=other.uuid)
        ),
        "unknown key id": good | {"keyId": "0" * 16},
        "bad tag": good | {"tag": base64(os.urandom(16))},
        "a key wrapped for another server": good | sealed_parts(rsa_key(1, 3072).public_key(), payload),
        "a wrong signature": good | {"signature": base64(os.urandom(256))},
        "no signature to speak of": good | {"signature": ""},
        "the signature of another payload": good | {"signature": device.signature(payload + b" ")},
        "another device's key": good | {"devicePublicKey": public_pem(other.key)},
        "signed by another key": good | {"signature": device.signature(payload, other.key)},
    }
    block = device.block(offer, payload)
    blocks = {
        what: block | {"encryptedPayload": base64(content)}
        for what, content in invalid_blocks(key, "RSA-OAEP-256").items()
    }
    return wrong | blocks


async def test_abuse_8_whatever_is_wrong_inside_the_answer_is_the_same(api: Api) -> None:
    """Bad padding, bad tag, bad JSON, unknown key id, wrong signature, used up key: one error, and nothing is done."""
    device, secret = SealingDevice(), await api.provisioning_key()
    used, before = await api.provisioning_key(max_uses=1), await devices_of(api)
    assert (await enrolled(api.stranger, SealingDevice(key=rsa_key(1)), used)).status == 200
    made, revoked = await api.running.services.provisioning_keys.create(SYSTEM, NewProvisioningKey(fleet_id="a"))
    await api.running.services.provisioning_keys.revoke(SYSTEM, made.id)
    answers: dict[str, Answer] = {}
    for what, body in (await registrations(api, device, secret)).items():
        answers[what] = await somebody(api).post(REGISTER, body)
    answers["used up"] = await enrolled(somebody(api), device, used)
    answers["revoked"] = await enrolled(somebody(api), device, revoked)
    [first, *_] = answers.values()
    assert first.status == 401
    different = {
        what: answer
        for what, answer in answers.items()
        if (answer.status, answer.raw, sorted(answer.headers)) != (401, first.raw, sorted(first.headers))
    }
    assert not different
    assert await devices_of(api) == before + 1
    assert (await enrolled(api.stranger, device, secret)).status == 200


async def test_the_audit_log_knows_what_was_wrong_and_no_secret(api: Api) -> None:
    """Contract 12.4 item 59."""
    device, secret = SealingDevice(), await api.provisioning_key()
    bodies = await registrations(api, device, secret)
    for what in ("bad tag", "no JSON", "a wrong signature", "no challenge", "unknown key"):
        assert (await somebody(api).post(REGISTER, bodies[what])).status == 401
    await api.settle()
    owner = await api.person(Role.OWNER)
    log = await owner.get("/audit-logs?limit=6")
    for reason in (
        "unreadable payload",
        "malformed payload",
        "wrong signature",
        "expired or foreign challenge",
        "unknown key",
    ):
        assert reason.encode() in log.raw, reason
    assert secret.encode() not in log.raw


@pytest.mark.parametrize("form", ["block", "envelope"])
async def test_abuse_1_a_captured_registration_is_good_once(api: Api, form: str) -> None:
    """Contract 12.4 item 60."""
    device, secret = SealingDevice(), await api.provisioning_key()
    offer, before = await offered(api.stranger, device), await devices_of(api)
    body = getattr(device, form)(offer, device.payload(offer, secret))
    first = await api.stranger.post(REGISTER, body)
    given = device.opened(first.body)
    for _ in range(3):
        assert (await somebody(api).post(REGISTER, body)).status == 401
    assert await devices_of(api) == before + 1
    key = {"X-Device-API-Key": given["api"]["deviceApiKey"]}
    assert (await api.stranger.get(f"/device/{device.uuid}/state", headers=key)).status == 200


async def test_abuse_1_a_challenge_is_used_up_by_whoever_comes_first(api: Api) -> None:
    device, secret = SealingDevice(), await api.provisioning_key()
    offer = await offered(api.stranger, device)
    bodies = [device.envelope(offer, device.payload(offer, secret)) for _ in range(3)]
    assert [(await api.stranger.post(REGISTER, body)).status for body in bodies] == [200, 401, 401]


async def test_a_used_challenge_is_remembered_over_a_restart(tmp_path: Path) -> None:
    device = SealingDevice()
    async with running_api(tmp_path / "data") as api:
        secret = await api.provisioning_key()
        offer = await offered(api.stranger, device)
        body = device.envelope(offer, device.payload(offer, secret))
        unused = await offered(api.stranger, device)
        assert (await api.stranger.post(REGISTER, body)).status == 200
    async with running_api(tmp_path / "data") as api:
        assert (await api.stranger.post(REGISTER, body)).status == 401
        later = device.envelope(unused, device.payload(unused, secret))
        assert (await api.stranger.post(REGISTER, later)).status == 200


@pytest.mark.parametrize("field", ["encKey", "iv", "ct", "tag", "signature"])
async def test_item_60_a_bent_field_of_an_envelope_is_refused(api: Api, field: str) -> None:
    device, secret = SealingDevice(), await api.provisioning_key()
    offer = await offered(api.stranger, device)
    good = device.envelope(offer, device.payload(offer, secret))
    raw = b64decode(good[field])
    for place in (0, len(raw) // 2, len(raw) - 1):
        bent = raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :]
        assert (await somebody(api).post(REGISTER, good | {field: base64(bent)})).status == 401
    assert (await api.stranger.post(REGISTER, good)).status == 200


async def test_abuse_2_a_fleet_key_takes_over_no_device(api: Api) -> None:
    """P-04, P-26: neither the exchange nor the registration touches the key of a device that is known."""
    victim, secret = SealingDevice(), await api.provisioning_key()
    given = victim.opened((await enrolled(api.stranger, victim, secret)).body)
    attacker = SealingDevice(uuid=victim.uuid, key=rsa_key(1))
    assert (await enrolled(somebody(api), attacker, secret)).status == 409
    key = {"X-Device-API-Key": given["api"]["deviceApiKey"]}
    assert (await api.stranger.get(f"/device/{victim.uuid}/state", headers=key)).status == 200
    assert (await enrolled(api.stranger, victim, secret)).status == 200


async def test_abuse_11_who_stands_between_cannot_have_the_answer_sealed_to_himself(api: Api) -> None:
    """He takes a registration on its way, gets a challenge for his own key, and signs what he cannot read."""
    device, secret = SealingDevice(), await api.provisioning_key()
    offer = await offered(api.stranger, device)
    captured = device.envelope(offer, device.payload(offer, secret))
    man = SealingDevice(uuid=device.uuid, key=rsa_key(1))
    await offered(somebody(api), man)
    for signature in (captured["signature"], man.signature(b"{}"), man.signature(b64decode(captured["ct"]))):
        body = captured | {"devicePublicKey": public_pem(man.key), "signature": signature}
        assert (await somebody(api).post(REGISTER, body)).status == 401
    body = captured | {"devicePublicKey": public_pem(man.key), "signature": _moved(captured, device, man)}
    assert (await somebody(api).post(REGISTER, body)).status == 401
    assert (await api.stranger.post(REGISTER, captured)).status == 200


def _moved(captured: Mapping[str, Any], device: SealingDevice, man: SealingDevice) -> str:
    """The same signed block under another key: a signature alone says what was signed to whoever can compute."""
    numbers = device.key.public_key().public_numbers()
    block = pow(int.from_bytes(b64decode(captured["signature"]), "big"), numbers.e, numbers.n)
    private = man.key.private_numbers()
    return base64(pow(block % private.public_numbers.n, private.d, private.public_numbers.n).to_bytes(256, "big"))


async def test_abuse_11_who_listens_learns_no_secret(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Contract 12.4 items 59 and 60: neither the provisioning key nor the credentials, on the wire or in a log."""
    device, secret = SealingDevice(), await api.provisioning_key()
    with caplog.at_level(logging.DEBUG):
        offer = await offered(api.stranger, device)
        body = device.envelope(offer, device.payload(offer, secret))
        answer = await api.stranger.post(REGISTER, body)
    given = device.opened(answer.body)
    secrets = (secret, given["api"]["deviceApiKey"], given["mqtt"]["password"])
    wire = json.dumps([offer, body]).encode() + answer.raw
    for each in secrets:
        assert each.encode() not in wire
        assert each not in caplog.text
    assert "PRIVATE KEY" not in caplog.text
    with pytest.raises(ValueError, match="ecryption"):
        SealingDevice(key=rsa_key(1)).opened(answer.body)


async def test_abuse_10_an_unsound_device_key_is_refused_before_anything_is_opened(api: Api) -> None:
    device, secret = SealingDevice(), await api.provisioning_key()
    offer = await offered(api.stranger, device)
    good = device.envelope(offer, device.payload(offer, secret))
    for pem in (public_pem(rsa_key(bits=1024)), public_pem(device.key) * 2, "x", "", "x" * 60_000):
        for path, body in ((EXCHANGE, device.exchange), (REGISTER, good)):
            answer = await api.stranger.post(path, body | {"devicePublicKey": pem})
            assert (answer.status, list(answer.body["fields"])) == (400, ["devicePublicKey"])
    huge = await api.stranger.post(REGISTER, good | {"devicePublicKey": "x" * 1_000_000})
    assert huge.status == 413


async def test_abuse_8_guesses_are_slowed_down_and_right_registrations_are_not(api: Api) -> None:
    """Oracles need many questions. Those who come late or twice ask none: they are not counted."""
    device, secret, guesser = SealingDevice(), await api.provisioning_key(), somebody(api)
    offer = await offered(api.stranger, device)
    good = device.envelope(offer, device.payload(offer, secret))
    stale = device.envelope(offer, device.payload(offer, secret, challenge="x"))
    for _ in range(25):
        assert (await guesser.post(REGISTER, stale)).status == 401
    for _ in range(20):
        assert (await guesser.post(REGISTER, good | {"tag": base64(os.urandom(16))})).status == 401
    held = [await guesser.post(REGISTER, body) for body in (good | {"tag": base64(os.urandom(16))}, stale)]
    assert [answer.status for answer in held] == [429, 429]
    assert held[0].raw == held[1].raw
    assert (await guesser.post(REGISTER, good)).status == 200


async def test_abuse_8_who_makes_up_challenges_and_has_no_key_is_a_guesser(api: Api) -> None:
    """Else a flood of them would fill the audit log."""
    device, guesser = SealingDevice(), somebody(api)
    offer = await offered(api.stranger, device)
    body = device.envelope(offer, device.payload(offer, new_secret(), challenge="x"))
    statuses = [(await guesser.post(REGISTER, body)).status for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2


async def test_asking_for_challenges_leaves_nothing_behind(api: Api) -> None:
    device = SealingDevice()
    before = await _rows(api)
    for _ in range(50):
        await offered(api.stranger, device)
    assert await _rows(api) == before


async def test_an_expired_challenge_is_refused(api: Api) -> None:
    """The clock of the application is the machine's: the challenge is made by one that was slow."""
    device, secret = SealingDevice(), await api.provisioning_key()
    offer = dict(await offered(api.stranger, device))
    challenges = api.running.services.sealed_enrolments._challenges
    offer["challenge"] = _late(challenges, device)
    body = device.envelope(offer, device.payload(offer, secret))
    assert (await somebody(api).post(REGISTER, body)).status == 401


def _late(challenges: Any, device: SealingDevice) -> str:
    """A challenge that was made eleven minutes ago."""
    now = challenges._clock.now()
    slow = type(challenges)(
        secret=challenges._secret.decode(), clock=TestClock(now - timedelta(minutes=11)), ids=challenges._ids
    )
    text: str = slow.issue(device.uuid, fingerprint(device.key)).text
    return text


async def _rows(api: Api) -> int:
    """How many challenges are remembered."""
    async with api.running.services.transactions.read() as tx:
        found: int = await sql(tx).value(select(func.count()).select_from(enrolment_sessions))
    return found
