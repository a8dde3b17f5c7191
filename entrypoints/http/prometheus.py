"""How HTTP is doing, in numbers for Prometheus."""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from attrs import define, field
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Observe = Callable[[int, float], None]

# Upper bounds in seconds; the last is infinity.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@define
class _Served:
    """What one route has served."""

    statuses: dict[int, int] = field(factory=dict)
    buckets: list[int] = field(factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class HttpMetrics(Collector):
    """Counts requests by route and status, and how long they took.

    A collector of our own: the library's counters take a lock and look up their labels for each request, which costs
    more than serving one from memory does. Here everything runs on one thread.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._routes: dict[str, _Served] = {}
        registry.register(self)

    def observer(self, route: str) -> Observe:
        """What to call with status and seconds after each request on this route."""
        served = self._routes.setdefault(route, _Served())
        statuses, buckets = served.statuses, served.buckets

        def observe(status: int, seconds: float) -> None:
            statuses[status] = statuses.get(status, 0) + 1
            buckets[bisect_left(BOUNDS, seconds)] += 1
            served.seconds += seconds

        return observe

    def collect(self) -> Iterator[Metric]:
        """What has been counted."""
        requests = CounterMetricFamily("iotistic_http_requests", "Requests served", labels=["route", "status"])
        durations = HistogramMetricFamily(
            "iotistic_http_request_duration_seconds", "Time to serve a request", labels=["route"]
        )
        for route, served in self._routes.items():
            for status, number in served.statuses.items():
                requests.add_metric([route, str(status)], number)
            if served.statuses:
                durations.add_metric([route], _cumulated(served.buckets), served.seconds)
        yield requests
        yield durations


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    cumulated = []
    for bound, number in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
        total += number
        cumulated.append((bound, float(total)))
    return cumulated
