"""Abuse cases 4 to 7: races, bad keys and guessing, against the running application."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.sql.provisioning import SqlProvisioningKeyStore
from core.actor import SYSTEM, Role
from core.digests import digest_of
from core.provisioning import NewProvisioningKey, ProvisioningKey
from tests.support.application import Answer, Api, registration, running_api
from tests.support.enrolment import a_key, new_secret

GUESSES = 20
LIES = ({"X-Forwarded-For": "203.0.113.{n}"}, {"X-Real-IP": "203.0.113.{n}"}, {"True-Client-IP": "203.0.113.{n}"})


async def register(api: Api, secret: str, **headers: str) -> Answer:
    """Have a fresh agent register."""
    bearer = {"Authorization": f"Bearer {secret}"}
    return await api.stranger.post("/device/register", registration(), headers=bearer | headers)


async def made(api: Api, **wanted: object) -> tuple[ProvisioningKey, str]:
    """A provisioning key."""
    new = NewProvisioningKey(**{"fleet_id": "tests", **wanted})  # type: ignore[arg-type]
    return await api.running.services.provisioning_keys.create(SYSTEM, new)


async def test_of_64_registrations_at_once_with_a_key_for_one_exactly_one_gets_in(api: Api) -> None:
    """Abuse case 4; P-07."""
    secret = await api.provisioning_key(max_uses=1)
    statuses = Counter(answer.status for answer in await asyncio.gather(*(register(api, secret) for _ in range(64))))
    assert statuses == {200: 1, 401: 63}
    owner = await api.person(Role.OWNER)
    assert (await owner.get("/devices")).body["pagination"]["totalDevices"] == 1
    assert (await owner.get("/provisioning-keys")).body["keys"][0]["currentUses"] == 1


async def test_the_limit_of_devices_holds_against_races_and_against_switching(tmp_path: Path) -> None:
    """Abuse case 5; P-08."""
    async with running_api(tmp_path / "data", MAX_DEVICES="3") as api:
        secret = await api.provisioning_key()
        first = await api.device(secret)
        answers = await asyncio.gather(*(register(api, secret) for _ in range(10)))
        assert Counter(answer.status for answer in answers) == {200: 2, 402: 8}
        owner = await api.person(Role.OWNER)
        assert (await owner.patch(f"/devices/{first.uuid}/active", {"is_active": False})).status == 200
        assert (await register(api, secret)).status == 200
        assert (await owner.patch(f"/devices/{first.uuid}/active", {"is_active": True})).status == 402
        assert (await owner.get("/provisioning-keys")).body["keys"][0]["currentUses"] == 4


async def test_every_bad_key_gives_the_same_answer(api: Api) -> None:
    """Abuse case 6."""
    expired = new_secret()
    async with api.running.services.transactions.begin() as tx:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        await SqlProvisioningKeyStore().add(tx, a_key(digest=digest_of(expired), expires_at=yesterday))
    revoked_key, revoked = await made(api)
    await api.running.services.provisioning_keys.revoke(SYSTEM, revoked_key.id)
    _, used = await made(api, max_uses=1)
    assert (await register(api, used)).status == 200
    answers = [await register(api, secret) for secret in ("0" * 64, "x", expired, revoked, used)]
    assert {(answer.status, answer.raw) for answer in answers} == {(401, answers[0].raw)}
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1


async def test_guessing_is_slowed_down_under_whatever_address_is_claimed_and_right_keys_always_pass(api: Api) -> None:
    """Abuse case 7 (CVE-2026-46356); P-11, P-28: only wrong keys count, only wrong keys are held up."""
    secret = await api.provisioning_key()
    for n in range(GUESSES):
        lie = {name: value.format(n=n) for name, value in LIES[n % 3].items()}
        assert (await register(api, f"guess{n}", **lie)).status == 401
    for n, lies in enumerate(LIES):
        held = await register(api, "guess", **{name: value.format(n=100 + n) for name, value in lies.items()})
        assert held.status == 429
        assert 1 <= int(held.headers["Retry-After"]) <= 900
        assert (await register(api, secret)).status == 200
    device = await api.device(secret)
    exchanged = await api.stranger.post(
        f"/device/{device.uuid}/key-exchange",
        {"uuid": device.uuid, "deviceApiKey": device.key},
        headers={"Authorization": f"Bearer {device.key}"},
    )
    assert exchanged.status == 200


async def test_behind_a_proxy_that_is_trusted_guesses_count_for_whoever_made_them(tmp_path: Path) -> None:
    """Abuse case 7: one guesser behind the proxy does not shut out the others."""
    async with running_api(tmp_path / "data", TRUSTED_PROXIES="127.0.0.0/8") as api:
        for n in range(GUESSES):
            forged = {"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.7"}
            assert (await register(api, f"guess{n}", **forged)).status == 401
        assert (await register(api, "guess", **{"X-Forwarded-For": "198.51.100.99, 203.0.113.7"})).status == 429
        assert (await register(api, "guess", **{"X-Forwarded-For": "203.0.113.8"})).status == 401
