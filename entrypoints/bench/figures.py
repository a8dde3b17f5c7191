"""What was measured, as a table and as JSON."""

from attrs import asdict, frozen
from rich.table import Column, Table

HEADINGS = ("what", "rate", "CPU a request", "ratio", "CPU of the database", "p50", "p99", "budget", "")


@frozen(kw_only=True)
class Figure:
    """One row. CPU is that of our processes alone; `ratio` is to the yardstick in the same run."""

    name: str
    rate: float
    unit: str = "requests/s"
    cpu_us: float | None = None
    database_us: float | None = None
    ratio: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    budget: str = ""
    kept: bool | None = None

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


@frozen(kw_only=True)
class Quantity:
    """One number that is no rate: memory, a time."""

    name: str
    value: float
    unit: str
    budget: str = ""
    kept: bool | None = None

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def table_of(figures: list[Figure], quantities: list[Quantity]) -> Table:
    """Everything in one table."""
    table = Table(*(Column(heading, no_wrap=True) for heading in HEADINGS))
    for figure in figures:
        table.add_row(
            figure.name,
            f"{figure.rate:,.0f} {figure.unit}",
            "" if figure.cpu_us is None else f"{figure.cpu_us:,.0f} µs",
            "" if figure.ratio is None else f"{figure.ratio:.2f} ×",
            "" if figure.database_us is None else f"{figure.database_us:,.0f} µs",
            "" if figure.p50_ms is None else f"{figure.p50_ms:.1f} ms",
            "" if figure.p99_ms is None else f"{figure.p99_ms:.1f} ms",
            figure.budget,
            _verdict(figure.kept),
        )
    table.add_section()
    for quantity in quantities:
        value = f"{quantity.value:,.2f} {quantity.unit}"
        table.add_row(quantity.name, value, "", "", "", "", "", quantity.budget, _verdict(quantity.kept))
    return table


def _verdict(kept: bool | None) -> str:  # noqa: FBT001 - the verdict itself
    if kept is None:
        return ""
    return "[green]kept[/]" if kept else "[bold red]missed[/]"
