"""The secrets of processes that share no folder: made of what each is told, or sealed with it in the database."""

import asyncio
from pathlib import Path

from attrs import field, frozen

from adapters.sql.server_keys import SealedKeyTable
from adapters.system.derived import derived
from adapters.system.server_keys import KeyFolder, carry_keys

CHALLENGES = "challenges"


@frozen(kw_only=True)
class ClusterSecrets:
    """What no process may have for itself alone. `challenges` marks what strangers are told to show again."""

    challenges: str = field(repr=False)
    server_keys: SealedKeyTable

    async def open(self) -> None:
        """Make sure that we can open what others have sealed. Invalid, in words, when we cannot; Unavailable."""
        await asyncio.to_thread(self.server_keys.check)

    async def close(self) -> None:
        """Nothing is held."""


def cluster_secrets(url: str, *, secret: str, secret_key: str = "") -> ClusterSecrets:
    """`secret` is JWT_SECRET; `secret_key`, if there is one, seals the server keys in its place.

    So with a `secret_key` the other may be replaced, which logs everybody out, and devices that know a key go on.
    """
    return ClusterSecrets(
        challenges=derived(secret, CHALLENGES).hex(), server_keys=SealedKeyTable(url, secret_key or secret)
    )


def import_server_keys(folder: Path, url: str, *, secret: str, secret_key: str = "") -> int:
    """Carry the keys of a data folder over, so that devices that know one of them go on; how many keys.

    Done twice it changes nothing. Invalid when what is in the database was sealed with another secret; Unavailable.
    """
    secrets = cluster_secrets(url, secret=secret, secret_key=secret_key)
    secrets.server_keys.check()
    return carry_keys(KeyFolder(folder), secrets.server_keys)
