"""How a pool of connections is doing."""

from attrs import frozen

from core.durations import Durations


@frozen(kw_only=True)
class PoolStatistics:
    """As of now: how many connections there may be, how many are open and in use, how long users waited for one."""

    most: int
    open: int
    in_use: int
    waiting: Durations
    refusals: int
