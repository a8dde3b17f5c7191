"""How a simulated device becomes known: as the agents in the field do it, or by provisioning v2."""

import json
from collections.abc import Callable
from typing import TypeVar

from attrs import evolve

from entrypoints.simulator import wire
from entrypoints.simulator.identity import Account, Identity
from entrypoints.simulator.sealing import Seal
from entrypoints.simulator.transport import Failed
from entrypoints.simulator.world import Device

T = TypeVar("T")


async def enrol(device: Device) -> Account:
    """Register, and exchange the key. Raises Failed."""
    world = device.world
    answer = await world.api.call(
        wire.register(device.identity, world.options.key, device.mac_address, wire.AGENT_VERSION)
    )
    account = _understood(device, lambda: Account.from_answer(json.loads(answer.body)))
    await world.api.call(wire.exchange_key(device.identity))
    return account


async def enrol_by_v2(device: Device, private_key: str) -> tuple[Identity, Account]:
    """Exchange keys, then register with a sealed payload: who it is from now on, and its account. Raises Failed."""
    api, seal = device.world.api, Seal(private_key)
    offered = await api.call(wire.sealed_exchange(device.identity, seal.public_key))
    offer = _understood(device, lambda: json.loads(offered.body))
    payload = _understood(device, lambda: _payload(device, offer["challenge"]))
    answer = await api.call(wire.sealed_register(_understood(device, lambda: seal.registration(offer, payload))))
    told = _understood(device, lambda: seal.opened(json.loads(answer.body), payload))
    account = _understood(device, lambda: Account.from_v2(told))
    key = _understood(device, lambda: str(told["api"]["deviceApiKey"]))
    return evolve(device.identity, api_key=key, v2=True), account


def _payload(device: Device, challenge: str) -> bytes:
    return wire.as_json(
        {
            "deviceUuid": device.identity.uuid,
            "provisioningApiKey": device.world.options.key,
            "challenge": challenge,
            "deviceName": device.identity.name,
            "deviceType": "standalone",
            "macAddress": device.mac_address,
            "osVersion": wire.OS_VERSION,
            "agentVersion": wire.AGENT_VERSION,
        }
    )


def _understood(device: Device, read: Callable[[], T]) -> T:
    """What the device makes of an answer. Raises Failed when it lacks something."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"the answer lacks what a device needs: {type(error).__name__} {error}"
        device.world.tally.failed("register", reason)
        raise Failed(reason) from error
