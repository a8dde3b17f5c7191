"""Enrolments by provisioning v2: what devices do, with real key pairs, so that the server has real work."""

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from random import Random
from typing import Any

import aiohttp
import msgspec

from entrypoints.simulator import wire
from entrypoints.simulator.identity import Identity
from entrypoints.simulator.sealing import Seal, new_private_key

PAIRS = 16
"""The server lets several devices have the same key pair. Some more than one, so that remembering one is no help."""
API = "/api/v1"
_EXCHANGE, _REGISTER = f"{API}/provisioning/v2/key-exchange", f"{API}/provisioning/v2/register"


async def made_seals(number: int = PAIRS) -> list[Seal]:
    """Key pairs, before anything is measured: a device makes one in its life, and takes longer than all the rest."""
    return list(await asyncio.gather(*(asyncio.to_thread(lambda: Seal(new_private_key())) for _ in range(number))))


class BySealing:
    """Implements `Enrol` by v2. A device is new each time; its key pair is the next one of the pool."""

    def __init__(self, seals: list[Seal]) -> None:
        self._seals = itertools.cycle(seals)
        self._chance = Random(secrets.randbits(128))  # noqa: S311 - names, not secrets

    async def __call__(self, http: aiohttp.ClientSession, key: str) -> None:
        """Exchange keys in two calls as the seed's agents do, register, and open the answer.

        Raises ClientResponseError where the server refuses, ValueError where the answer is not from who was asked.
        """
        seal, identity = next(self._seals), Identity.fresh(self._chance, "bench")
        await _told(http, _EXCHANGE, wire.as_json({"deviceUuid": identity.uuid}))
        offer = await _told(http, _EXCHANGE, wire.sealed_exchange(identity, seal.public_key).body)
        payload = _payload(identity, key, offer["challenge"])
        sealed = wire.sealed_register(seal.registration(offer, payload))
        seal.opened(await _told(http, _REGISTER, sealed.body), payload)


def _payload(identity: Identity, key: str, challenge: str) -> bytes:
    return wire.as_json(
        {
            "deviceUuid": identity.uuid,
            "provisioningApiKey": key,
            "challenge": challenge,
            "deviceName": f"bench-{identity.uuid[:8]}",
            "deviceType": "bench",
            "osVersion": wire.OS_VERSION,
            "agentVersion": wire.AGENT_VERSION,
        }
    )


async def _told(http: aiohttp.ClientSession, path: str, body: bytes | None) -> Mapping[str, Any]:
    async with http.post(path, data=body, headers=wire.JSON) as answer:
        answer.raise_for_status()
        return msgspec.json.decode(await answer.read(), type=dict[str, Any])
