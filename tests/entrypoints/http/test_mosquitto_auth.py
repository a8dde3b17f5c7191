"""What mosquitto-go-auth asks over HTTP (contract 10.1, 12.2)."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Answer, Api, EnrolledDevice, running_api

SECRET = "the broker's secret"
MODES = ("json", "form")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def device(api: Api) -> EnrolledDevice:
    """A device."""
    return await api.device()


async def ask(api: Api, question: str, mode: str = "json", *, method: str = "POST", **fields: Any) -> Answer:
    """A question as the plugin asks it."""
    if mode == "json":
        return await api.stranger.call(method, f"/mosquitto-auth/{question}", root=True, json=fields)
    texts = {name: str(value) for name, value in fields.items()}
    return await api.stranger.call(method, f"/mosquitto-auth/{question}", root=True, data=texts)


def login(device: EnrolledDevice, **changes: str) -> Mapping[str, str]:
    """The fields of a login."""
    name, password = device.mqtt["username"], device.mqtt["password"]
    return {"username": name, "password": password, "clientid": name, **changes}


def allowed(answer: Answer) -> bool:
    """The answer, which must be the same in all response modes."""
    assert (answer.status == 200) == answer.body["ok"] == answer.body["success"] == (answer.body["error"] == "")
    assert answer.status in {200, 403}
    ok: bool = answer.body["ok"]
    return ok


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
async def test_31_each_question_is_answered_for_all_modes_and_methods(
    api: Api, device: EnrolledDevice, mode: str, method: str
) -> None:
    """Contract 12.2 item 31."""
    right, wrong = login(device), login(device, password="wrong")
    assert allowed(await ask(api, "user", mode, method=method, **right))
    assert not allowed(await ask(api, "user", mode, method=method, **wrong))
    assert not allowed(await ask(api, "superuser", mode, method=method, username=device.mqtt["username"]))
    question = {**login(device), "topic": f"iot/device/{device.uuid}/state"}
    assert allowed(await ask(api, "acl", mode, method=method, **question, acc=2))
    assert not allowed(await ask(api, "acl", mode, method=method, **question, acc=1))


async def may(api: Api, device: EnrolledDevice, acc: object, topic: str, mode: str = "json") -> bool:
    """Is the device let?"""
    name = device.mqtt["username"]
    return allowed(await ask(api, "acl", mode, username=name, clientid=name, topic=topic, acc=acc))


@pytest.mark.parametrize("mode", MODES)
async def test_32_each_access_is_granted_where_its_rule_has_it_and_nothing_else_is(
    api: Api, device: EnrolledDevice, mode: str
) -> None:
    """Contract 12.2 item 32; B-06; abuse case 15: write-only does not read, read-only does not write."""
    own = f"iot/device/{device.uuid}"
    reported = [acc for acc in range(-1, 10) if await may(api, device, acc, f"{own}/state", mode)]
    commanded = [acc for acc in range(-1, 10) if await may(api, device, acc, f"{own}/jobs/notify-next", mode)]
    assert (reported, commanded) == ([2], [1, 4])


@pytest.mark.parametrize(
    "acc", ["2", "02", "2.0", " 2", "two", "", "0x2", "\u0662", "\uff12", "2" * 5000, "-2", "+2", "1e0"]
)
async def test_access_as_text_is_read_strictly(api: Api, device: EnrolledDevice, acc: str) -> None:
    """Contract 12.2 item 32: a broker in form mode sends decimal text."""
    for mode in MODES:
        assert await may(api, device, acc, f"iot/device/{device.uuid}/state", mode) == (acc == "2")


async def test_33_topics_match_level_by_level(api: Api, device: EnrolledDevice) -> None:
    """Contract 12.2 item 33."""
    own = f"iot/device/{device.uuid}"
    assert await may(api, device, 2, f"{own}/sensor/modbus")
    assert await may(api, device, 2, f"{own}/sensor/")
    for topic in (f"{own}/sensor", f"{own}/sensor/a/b", f"{own}x/state", own, f"{own}/", "iot/device", "", "/"):
        assert not await may(api, device, 2, topic), topic


@pytest.mark.parametrize(
    "topic", ["#", "+/#", "iot/device/+/state", "iot/#", "$SYS/#", "$share/g/#", "$share/g/iot/device/+/agent/update"]
)
async def test_34_no_device_subscribes_to_more_than_its_own(api: Api, device: EnrolledDevice, topic: str) -> None:
    """Contract 12.2 item 34; abuse case 14: containment, not a match of texts."""
    assert not await may(api, device, 4, topic)
    assert not await may(api, device, 1, topic)


async def test_34_a_shared_filter_counts_as_what_it_shares(api: Api, device: EnrolledDevice) -> None:
    """Contract 12.2 item 34."""
    assert await may(api, device, 4, f"$share/g/iot/device/{device.uuid}/agent/update")
    assert not await may(api, device, 4, f"$share/g/iot/device/{device.uuid}/state")


async def test_35_a_wildcard_within_the_rule_does_not_reach_beyond_it(api: Api, device: EnrolledDevice) -> None:
    """Contract 12.2 item 35."""
    own = f"iot/device/{device.uuid}"
    for topic in (f"{own}/#", f"{own}/+", f"{own}/agent/#", f"{own}/jobs/#", f"{own}/jobs/+"):
        assert not await may(api, device, 4, topic), topic


async def test_36_a_device_out_of_service_is_denied_everything_at_once(api: Api, device: EnrolledDevice) -> None:
    """Contract 12.2 item 36, 12.1 item 28."""
    owner = await api.person(Role.OWNER)
    state = f"iot/device/{device.uuid}/state"
    for active in (True, False, True):
        switched = await owner.patch(f"/devices/{device.uuid}/active", {"is_active": active})
        assert switched.status == 200
        assert allowed(await ask(api, "user", **login(device))) is active
        assert await may(api, device, 2, state) is active
    assert (await owner.delete(f"/devices/{device.uuid}")).status == 200
    assert not allowed(await ask(api, "user", **login(device)))
    assert not await may(api, device, 2, state)


@pytest.mark.parametrize(
    "name", ["#", "+", "a/b", "$SYS", "a\0b", "", "device_", "device_#", "x" * 100_000, "' OR 1=1 --"]
)
async def test_36_odd_names_are_refused(api: Api, device: EnrolledDevice, name: str) -> None:
    """Contract 12.2 item 36; abuse case 13 (CVE-2017-7650)."""
    for mode in MODES:
        assert not allowed(await ask(api, "user", mode, **login(device, username=name)))
        assert not allowed(await ask(api, "superuser", mode, username=name))
        question: dict[str, Any] = {"username": name, "clientid": name, "topic": f"iot/device/{device.uuid}/state"}
        assert not allowed(await ask(api, "acl", mode, **question, acc=2))


async def test_37_a_device_uses_its_own_client_id_and_nobody_else_does(api: Api, device: EnrolledDevice) -> None:
    """Contract 12.2 item 37; abuse case 22."""
    other = await api.device()
    for client_id in ("", "x", other.mqtt["username"], device.mqtt["username"].upper()):
        assert not allowed(await ask(api, "user", **login(device, clientid=client_id)))
    state = f"iot/device/{device.uuid}/state"
    question = {"username": device.mqtt["username"], "topic": state, "acc": 2}
    assert not allowed(await ask(api, "acl", **question, clientid=other.mqtt["username"]))


@pytest.mark.parametrize("topic", ["jobs/notify-next", "agent/update", "jobs/7/update/accepted", "jobs/start-next"])
async def test_38_a_device_does_not_command_itself(api: Api, device: EnrolledDevice, topic: str) -> None:
    """Contract 12.2 item 38; B-09."""
    assert not await may(api, device, 2, f"iot/device/{device.uuid}/{topic}")


async def test_every_denial_reads_alike(api: Api, device: EnrolledDevice) -> None:
    """Contract 10.3 item 7: no word tells whether a user exists."""
    denials = [
        await ask(api, "user", **login(device, password="wrong")),
        await ask(api, "user", **login(device, username="nobody", clientid="nobody")),
        await ask(api, "user", username="nobody"),
        await ask(api, "user"),
        await ask(api, "acl"),
        await ask(api, "superuser", username="nobody"),
    ]
    assert {(answer.status, answer.raw) for answer in denials} == {(403, denials[0].raw)}


async def test_a_broker_that_asked_too_early_gets_the_right_answer_after_the_registration(api: Api) -> None:
    body_uuid = "5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56"
    name = f"device_{body_uuid}"
    for _ in range(2):
        assert not allowed(await ask(api, "user", username=name, password="old", clientid=name))
    device = await api.device(uuid=body_uuid)
    assert allowed(await ask(api, "user", **login(device)))
    again = await api.device(uuid=body_uuid, deviceApiKey=device.key)
    assert allowed(await ask(api, "user", **login(again)))
    assert not allowed(await ask(api, "user", **login(device)))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"username": 7}', b'{"acc": 1e999}', b'{"acc": true}', b"\xff", b"[" * 100_000],
)
async def test_what_cannot_be_read_is_denied_and_is_no_fault_of_the_backend(api: Api, body: bytes) -> None:
    """Contract 10.3 item 8: the plugin takes a 5xx for a broken backend and asks again."""
    for kind in ("application/json", FORM, "text/plain"):
        answer = await api.stranger.post("/mosquitto-auth/acl", root=True, data=body, headers={"Content-Type": kind})
        assert 400 <= answer.status < 500, (kind, answer)


async def test_a_huge_question_is_refused(api: Api) -> None:
    answer = await api.stranger.post("/mosquitto-auth/user", root=True, data=b"x" * 300_000)
    assert answer.status == 413


async def test_without_a_secret_only_a_broker_on_this_machine_may_ask(api: Api, device: EnrolledDevice) -> None:
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        answer = await api.stranger.post(
            "/mosquitto-auth/user", dict(login(device)), root=True, headers={header: "203.0.113.7"}
        )
        assert (answer.status, "ok" in answer.body) == (403, False)


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Api]:
    """An application that asks brokers for a secret."""
    async with running_api(tmp_path / "guarded", MOSQUITTO_AUTH_SECRET=SECRET) as api:
        yield api


async def test_with_a_secret_only_who_sends_it_may_ask(guarded: Api) -> None:
    device = await guarded.device()
    question = dict(login(device))
    for secret, status in ((SECRET, 200), ("wrong", 403), ("", 403), (SECRET[:-1], 403), ("\udcff", 403)):
        answer = await guarded.stranger.post(
            "/mosquitto-auth/user", question, root=True, params={"secret": secret.encode("utf-8", "replace").decode()}
        )
        assert answer.status == status, secret
    assert (await guarded.stranger.post("/mosquitto-auth/user", question, root=True)).status == 403
    odd = await guarded.stranger.post("/mosquitto-auth/user?secret=%ED%A0%80", question, root=True)
    assert odd.status == 403


@pytest.mark.parametrize("mode", MODES)
async def test_with_a_secret_a_broker_may_ask_through_a_proxy(guarded: Api, mode: str) -> None:
    device = await guarded.device()
    options: dict[str, Any] = {"json" if mode == "json" else "data": dict(login(device))}
    answer = await guarded.stranger.call(
        "POST",
        "/mosquitto-auth/user",
        root=True,
        params={"secret": SECRET},
        headers={"X-Forwarded-For": "203.0.113.7"},
        **options,
    )
    assert allowed(answer)
