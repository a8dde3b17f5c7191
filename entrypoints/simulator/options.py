"""What a simulated fleet is asked to do."""

from enum import StrEnum
from pathlib import Path

from attrs import field, frozen
from attrs.validators import ge, gt


class Form(StrEnum):
    """How an agent writes what it measured (the agent knows all four)."""

    MULTI = "multi"
    SINGLE = "single"
    CSV = "csv"
    SIMULATION = "simulation"


@frozen(kw_only=True)
class Options:
    """A fleet: how many agents, against what, how busy. Times in seconds, rates for each device."""

    url: str
    key: str = field(repr=False)
    devices: int = field(default=1, validator=ge(1))
    duration: float = field(default=0.0, validator=ge(0))
    """0: until told to stop."""
    interval: float = field(default=60.0, validator=gt(0))
    """Between two polls, and between two reports."""
    metrics_interval: float = field(default=0.0, validator=ge(0))
    """Reports carry metrics at most this often; 0: every one of them."""
    reports: bool = True
    v2: bool = False
    """Register by provisioning v2, and use its topics."""
    logs_per_minute: float = field(default=6.0, validator=ge(0))
    readings_per_minute: float = field(default=60.0, validator=ge(0))
    batch: int = field(default=12, validator=ge(1))
    """Sensor messages in one publication."""
    form: Form = field(default=Form.MULTI, converter=Form)
    ramp: float = field(default=50.0, validator=ge(0))
    """New devices a second; 0: all at once."""
    time_scale: float = field(default=1.0, validator=gt(0))
    """Multiplies the waits that are built into the agent: back-off, reconnection, job polling, age of a batch."""
    ack_timeout: float = field(default=5.0, validator=gt(0))
    """How long a publication waits for its PUBACK."""
    seed: int | None = None
    """The same seed gives the same devices with the same values."""
    name: str = "sim"
    state_dir: Path | None = None
    ledger: Path | None = None
