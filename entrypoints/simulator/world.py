"""What all devices of a fleet share, and what each is made of."""

from random import Random

from attrs import frozen

from entrypoints.simulator.identity import Identity
from entrypoints.simulator.ledger import Ledger
from entrypoints.simulator.moments import Now
from entrypoints.simulator.options import Options
from entrypoints.simulator.tally import Tally
from entrypoints.simulator.transport import Api


@frozen(kw_only=True)
class World:
    """Shared by the whole fleet."""

    options: Options
    api: Api
    tally: Tally
    ledger: Ledger
    now: Now


@frozen(kw_only=True)
class Device:
    """One device as its parts see it."""

    index: int
    identity: Identity
    chance: Random
    world: World

    @property
    def mac_address(self) -> str:
        """Locally administered, another for each device."""
        return "02:" + ":".join(f"{octet:02x}" for octet in self.index.to_bytes(5, "big"))

    @property
    def local_ip(self) -> str:
        """An address of a private network."""
        return ".".join(str(octet) for octet in (0x0A000000 + self.index + 2).to_bytes(4, "big"))

    def scaled(self, seconds: float) -> float:
        """A wait that is built into the agent."""
        return seconds * self.world.options.time_scale
