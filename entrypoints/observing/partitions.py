"""The numbers of tables that are in partitions."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from entrypoints.observing.figures import Figures, Values, gauge


def describe_partitions(
    registry: CollectorRegistry, *, missing: Callable[[], Values], astray: Callable[[], Values]
) -> None:
    """Tables in partitions, as they were last looked at; by table."""
    gaps, strays = "Months that have no partition and should", "Rows that are not in the partition of their month"
    Figures(
        registry,
        [
            gauge("iotistic_partition_missing_months", gaps, missing, ("table",)),
            gauge("iotistic_partition_astray_rows", strays, astray, ("table",)),
        ],
    )
