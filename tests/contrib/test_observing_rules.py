"""The dashboard and the rules speak of metrics that the processes really tell, and the rules fire when they should."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from entrypoints.wiring.processes import listener_process, worker_process
from tests.support.application import running_api
from tests.support.programs import program
from tests.support.scaled import scaled_environment, serving
from tests.support.server import free_port

GRAFANA = Path(__file__).parents[2] / "contrib" / "grafana"
NAME = re.compile(r"\b(?:iotistic|process)_[a-z0-9_]+\b")
MADE_BY_PROMETHEUS = {"up", "ALERTS"}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What promtool, of Debian's package prometheus, says."""
    found = program("promtool", "prometheus")
    return subprocess.run([found, *arguments], cwd=GRAFANA, capture_output=True, text=True, check=False, timeout=60)


def expressions_of_dashboard() -> Iterator[str]:
    """All that the panels ask for."""
    dashboard = json.loads((GRAFANA / "iotistic.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def named_in(*texts: str) -> set[str]:
    """The metrics that are asked for."""
    return {name for text in texts for name in NAME.findall(text)}


def told(text: str) -> set[str]:
    """The families and samples in an answer to Prometheus. A family without a sample yet counts by its type."""
    names = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:4]
            names.add(name)
            if kind == "histogram":
                names |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    return names


async def scraped(url: str) -> str:
    """What a process tells."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


async def told_by_all(folder: Path, postgres_url: str) -> AsyncIterator[str]:
    """What each sort of process tells: all of them run, but nothing they need but PostgreSQL does."""
    numbers, of_worker, of_listener = free_port(), free_port(), free_port()
    environment = scaled_environment(
        postgres_url, "mqtt://127.0.0.1:1", REDIS_URL="", QUEUE_URL="redis://127.0.0.1:1/0", METRICS_PORT=str(numbers)
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(running_api(folder / "data"))
        yield await scraped(api.running.url)
        await stack.enter_async_context(serving(environment))
        yield await scraped(f"http://127.0.0.1:{numbers}")
        work = worker_process({**environment, "METRICS_PORT": str(of_worker)}, installed=False)
        await stack.enter_async_context(work)
        yield await scraped(f"http://127.0.0.1:{of_worker}")
        listen = listener_process({**environment, "METRICS_PORT": str(of_listener)}, installed=False)
        await stack.enter_async_context(listen)
        yield await scraped(f"http://127.0.0.1:{of_listener}")


async def test_every_metric_of_the_dashboard_and_the_rules_is_told_by_some_process(
    tmp_path: Path, postgres_url: str
) -> None:
    asked = named_in(*expressions_of_dashboard(), (GRAFANA / "alerts.yml").read_text())
    known: set[str] = set()
    async for text in told_by_all(tmp_path, postgres_url):
        known |= told(text)
    assert asked - known - MADE_BY_PROMETHEUS == set()


def test_the_rules_are_rules_and_the_example_is_a_configuration() -> None:
    for arguments in (("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml")):
        answer = promtool(*arguments)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_rules_fire_when_they_should_and_are_quiet_otherwise() -> None:
    answer = promtool("test", "rules", "alerts_test.yml")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_rule_has_a_runbook_and_a_test() -> None:
    rules = (GRAFANA / "alerts.yml").read_text()
    names = re.findall(r"- alert: (\w+)", rules)
    assert len(names) == len(set(names)) == rules.count("          runbook: ") == rules.count("          summary: ")
    tests = (GRAFANA / "alerts_test.yml").read_text()
    assert [name for name in names if name not in tests] == []


@pytest.fixture
def dashboard() -> Any:
    """As Grafana is given it."""
    return json.loads((GRAFANA / "iotistic.json").read_text())


def test_panels_have_numbers_of_their_own_and_do_not_lie_on_each_other(dashboard: Any) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_panel_asks_the_chosen_source_for_the_chosen_processes(dashboard: Any) -> None:
    assert {each["name"] for each in dashboard["templating"]["list"]} == {"datasource", "job", "instance"}
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
            names = NAME.findall(target["expr"])
            assert target["expr"].count('{job=~"$job",instance=~"$instance"') == len(names), target["expr"]
