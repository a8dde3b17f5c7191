"""How HTTP is doing, in numbers for Prometheus."""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from attrs import define, field
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.durations import BOUNDS, Durations
from core.errors import Refusal

Observe = Callable[[int, float], None]

Refused = Callable[[Refusal], None]


@define
class _Served:
    """What one route has served."""

    statuses: dict[int, int] = field(factory=dict)
    refusals: dict[str, int] = field(factory=dict)
    durations: Durations = field(factory=Durations)


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
        statuses, durations, buckets = served.statuses, served.durations, served.durations.counts

        def observe(status: int, seconds: float) -> None:
            statuses[status] = statuses.get(status, 0) + 1
            buckets[bisect_left(BOUNDS, seconds)] += 1
            durations.seconds += seconds

        return observe

    def refuser(self, route: str) -> Refused:
        """What to call with each refusal on this route."""
        refusals = self._routes.setdefault(route, _Served()).refusals

        def refused(refusal: Refusal) -> None:
            kind = type(refusal).__name__.lower()
            refusals[kind] = refusals.get(kind, 0) + 1

        return refused

    def collect(self) -> Iterator[Metric]:
        """What has been counted."""
        requests = CounterMetricFamily("iotistic_http_requests", "Requests served", labels=["route", "status"])
        durations = HistogramMetricFamily(
            "iotistic_http_request_duration_seconds", "Time to serve a request", labels=["route"]
        )
        refusals = CounterMetricFamily(
            "iotistic_http_refusals", "Requests refused, by one of the seven refusals", labels=["route", "refusal"]
        )
        for route, served in self._routes.items():
            for status, number in served.statuses.items():
                requests.add_metric([route, str(status)], number)
            if served.statuses:
                durations.add_metric([route], served.durations.cumulated(), served.durations.seconds)
            for refusal, number in served.refusals.items():
                refusals.add_metric([route, refusal], number)
        yield requests
        yield durations
        yield refusals
