"""Who a simulated device is, and what it keeps on its own disk."""

import json
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from attrs import asdict, field, frozen

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700


@frozen(kw_only=True)
class Identity:
    """Made by the device itself, before it speaks to anyone, and never changed; by v2 the key comes from the server."""

    uuid: str
    api_key: str = field(repr=False)
    name: str
    v2: bool = False

    @staticmethod
    def fresh(chance: Random, name: str) -> "Identity":
        """A version 4 UUID and a key of 64 hexadecimal digits."""
        uuid = UUID(int=chance.getrandbits(128), version=4)
        return Identity(uuid=str(uuid), api_key=f"{chance.getrandbits(256):064x}", name=name)


@frozen(kw_only=True)
class Account:
    """What the server answered to the registration."""

    id: int
    username: str
    password: str = field(repr=False)
    broker: str
    ca_cert: str | None = None

    @staticmethod
    def from_answer(answer: Any) -> "Account":
        """Read the fields the agent reads. Raises KeyError, TypeError or ValueError where one is missing or wrong."""
        mqtt = answer["mqtt"]
        certificate = (mqtt.get("brokerConfig") or {}).get("caCert")
        return Account(
            id=int(answer["id"]),
            username=str(mqtt["username"]),
            password=str(mqtt["password"]),
            broker=str(mqtt["broker"]),
            ca_cert=str(certificate).replace("\\n", "\n") if certificate else None,
        )

    @staticmethod
    def from_v2(answer: Any) -> "Account":
        """The same from an answer by provisioning v2, which has other names for it."""
        mqtt = {**answer["mqtt"], "broker": answer["mqtt"]["brokerUrl"]}
        return Account.from_answer({"id": answer["device"]["deviceId"], "mqtt": mqtt})


@frozen(kw_only=True)
class Memory:
    """What outlives a restart of the device. Without an account it has not been provisioned yet."""

    identity: Identity
    account: Account | None = None
    sequence: int = 0
    """Of the last report made, so that no two reports of a device share a number."""
    private_key: str | None = field(default=None, repr=False)
    """By v2, in PEM: whoever holds it is this device."""


class Disk:
    """The device's own storage: a file, or nothing when no folder was given."""

    def __init__(self, folder: Path | None, index: int) -> None:
        self._path = folder / f"device-{index:05d}.json" if folder else None

    def recall(self) -> Memory | None:
        """What was kept, or None for a new device. Raises ValueError when the file is not ours."""
        if self._path is None or not self._path.exists():
            return None
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            account = Account(**kept["account"]) if kept["account"] else None
            return Memory(
                identity=Identity(**kept["identity"]),
                account=account,
                sequence=int(kept["sequence"]),
                private_key=kept.get("private_key"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self._path} is not the state of a simulated device") from error

    def keep(self, memory: Memory) -> None:
        """Write it down, whole or not at all; the file is for its owner only."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        draft = self._path.with_suffix(".draft")
        draft.touch(mode=OWNER_ONLY)
        draft.write_text(json.dumps(asdict(memory)), encoding="utf-8")
        draft.replace(self._path)


def recalled(disk: Disk, chance: Random, name: str) -> Memory:
    """The device as it was, or a new one, on disk before it makes its first call."""
    memory = disk.recall()
    if memory is None:
        memory = Memory(identity=Identity.fresh(chance, name))
        disk.keep(memory)
    return memory
