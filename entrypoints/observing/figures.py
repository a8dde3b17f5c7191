"""Numbers that are read when Prometheus asks: nothing is done for them meanwhile."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import field, frozen
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.durations import Durations

# By the values of the labels, in their order. None: nobody can tell now, and there is no sample.
Values = Mapping[tuple[str, ...], float]
Read = Callable[[], float | Values | None]


@frozen
class Figure:
    """A number, or one for each set of labels. A counter's name goes without `_total`, which is added."""

    name: str
    words: str
    read: Read
    labels: Sequence[str] = ()
    counts: bool = field(default=False, kw_only=True)

    def family(self) -> Metric:
        """What Prometheus is told."""
        found = self.read()
        values: Values = {} if found is None else found if isinstance(found, Mapping) else {(): found}
        made = CounterMetricFamily if self.counts else GaugeMetricFamily
        family = made(self.name, self.words, labels=tuple(self.labels))
        for labels, value in values.items():
            family.add_metric(labels, float(value))
        return family


def gauge(name: str, words: str, read: Read, labels: Sequence[str] = ()) -> Figure:
    """A number that goes up and down."""
    return Figure(name, words, read, labels)


def counter(name: str, words: str, read: Read, labels: Sequence[str] = ()) -> Figure:
    """A number that only grows as long as the process lives."""
    return Figure(name, words, read, labels, counts=True)


@frozen
class Spread:
    """How long things took, for each set of labels."""

    name: str
    words: str
    read: Callable[[], Mapping[tuple[str, ...], Durations]]
    labels: Sequence[str] = ()

    def family(self) -> Metric:
        """What Prometheus is told."""
        family = HistogramMetricFamily(self.name, self.words, labels=tuple(self.labels))
        for labels, durations in self.read().items():
            family.add_metric(labels, durations.cumulated(), durations.seconds)
        return family


class Figures(Collector):
    """Reads its figures when Prometheus asks."""

    def __init__(self, registry: CollectorRegistry, figures: Iterable[Figure | Spread]) -> None:
        self._figures = tuple(figures)
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Names alone, so that nothing is read before somebody asks, and no name is taken twice."""
        for figure in self._figures:
            kind = "histogram" if isinstance(figure, Spread) else "counter" if figure.counts else "gauge"
            yield Metric(figure.name, figure.words, kind)

    def collect(self) -> Iterable[Metric]:
        """All that can be told now."""
        return [figure.family() for figure in self._figures]
