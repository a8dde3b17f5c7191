"""How HTTP is doing, in numbers for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class HttpMetrics:
    """Counts requests by route and status, and measures how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter("iotistic_http_requests", "Requests served", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "iotistic_http_request_duration_seconds", "Time to serve a request", ["route"], registry=registry
        )

    def served(self, route: str, status: int, seconds: float) -> None:
        """One more request was served."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)
