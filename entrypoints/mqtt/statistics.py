"""What a listener has done, and what it has in hand."""

from attrs import define, frozen


@frozen(kw_only=True)
class ListenerStatistics:
    """At one moment. What is counted is counted since the process started."""

    messages: int = 0
    acknowledged: int = 0
    retried: int = 0  # tries that had to be repeated because nothing could be stored
    dropped: int = 0  # QoS 0 that could not be stored, and what a bug of ours kept out ten times
    reconnects: int = 0
    in_flight: int = 0
    bytes_in_flight: int = 0
    oldest_seconds: float = 0.0  # for how long the oldest message has waited to be stored: the ingest lag
    seats: tuple[str, ...] = ()
    subscribed: int = 0  # how many of the seats are connected and get what comes


@define
class Tally:
    """Counts of all seats of a process: plain numbers, read when somebody asks."""

    messages: int = 0
    acknowledged: int = 0
    retried: int = 0
    dropped: int = 0
    reconnects: int = 0
