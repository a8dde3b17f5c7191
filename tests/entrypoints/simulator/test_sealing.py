"""The simulated device seals what it says, and believes only who could read it."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from entrypoints.simulator.identity import Account, Disk, Identity, Memory
from entrypoints.simulator.sealing import Seal, new_private_key
from tests.support.sealing import base64, public_pem, rsa_key, sealed_parts

PAYLOAD = b'{"provisioningApiKey": "hush"}'


@pytest.fixture(scope="module")
def seal() -> Seal:
    """A device's key pair."""
    return Seal(new_private_key())


def answered(seal: Seal, content: Mapping[str, Any]) -> dict[str, str]:
    """An answer for the device, from whoever knows its public key: anybody."""
    return sealed_parts(seal._key.public_key(), json.dumps(content).encode())


def test_what_is_said_does_not_show(seal: Seal) -> None:
    offer = {"apiPublicKey": public_pem(rsa_key()), "keyId": "k"}
    body = seal.registration(offer, PAYLOAD)
    assert "hush" not in json.dumps(body)
    assert (body["v"], body["keyId"]) == (2, "k")
    assert body != seal.registration(offer, PAYLOAD)


def test_an_answer_from_who_read_the_registration_is_believed(seal: Seal) -> None:
    told = {"payloadSha256": sha256(PAYLOAD).hexdigest(), "device": {}}
    assert seal.opened(answered(seal, told), PAYLOAD) == told


@pytest.mark.parametrize("told", [{"payloadSha256": ""}, {"payloadSha256": sha256(b"{}").hexdigest()}])
def test_an_answer_from_anybody_else_is_not(seal: Seal, told: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="not from who read"):
        seal.opened(answered(seal, told), PAYLOAD)


def test_an_answer_that_was_changed_is_not(seal: Seal) -> None:
    answer = answered(seal, {"payloadSha256": sha256(PAYLOAD).hexdigest()})
    with pytest.raises(ValueError, match="changed"):
        seal.opened(answer | {"tag": base64(bytes(16))}, PAYLOAD)


def test_the_key_pair_of_a_device_outlives_its_restart_and_does_not_show(tmp_path: Path) -> None:
    identity = Identity(uuid="u", api_key="key", name="n", v2=True)
    memory = Memory(identity=identity, private_key="hush")
    disk = Disk(tmp_path, 1)
    disk.keep(memory)
    assert disk.recall() == memory
    assert "hush" not in repr(memory)
    disk.keep(evolve(memory, private_key=None))
    assert disk.recall() == evolve(memory, private_key=None)


def test_an_account_is_read_from_the_names_of_v2() -> None:
    mqtt = {"brokerUrl": "mqtt://h", "username": "u", "password": "p", "brokerConfig": {"caCert": "a"}}
    told = {"device": {"deviceId": 7}, "mqtt": mqtt}
    assert Account.from_v2(told) == Account(id=7, username="u", password="p", broker="mqtt://h", ca_cert="a")
