"""How a simulated agent polls and reports, with a broker and without."""

from pathlib import Path

from tests.entrypoints.simulator.stage import fleet, read_lines, staged

APPS = {
    "1001": {
        "appId": 1001,
        "appName": "web",
        "services": [
            {"serviceId": "2", "serviceName": "nginx", "imageName": "nginx:alpine", "config": {"ports": ["80:80"]}}
        ],
    }
}
STRIPPED = {"version", "endpoints_health", "top_processes", "network_interfaces", "sensor_health"}


async def test_the_etag_goes_back_exactly_as_it_came() -> None:
    async with staged() as stage:
        stage.etag = "unquoted-sha1"
        async with fleet(stage):
            await stage.until(lambda: len(stage.called("target")) > 2)
        first, second, *_ = stage.called("target")
        assert "If-None-Match" not in first.headers
        assert second.headers["If-None-Match"] == "unquoted-sha1"
        assert second.status == 304


async def test_only_the_first_report_is_whole() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(lambda: len(stage.reports()) > 2)
        first, second, *_ = stage.reports()
        assert {"config", "os_version", "agent_version", "local_ip"} <= first.keys()
        assert not {"config", "os_version", "agent_version", "local_ip"} & second.keys()
        assert {"apps", "is_online", "version", "endpoints_health"} <= second.keys()


async def test_metrics_come_only_when_they_are_due() -> None:
    async with staged() as stage, fleet(stage, metrics_interval=60):
        await stage.until(lambda: len(stage.reports()) > 2)
        first, second, *_ = stage.reports()
        assert {"cpu_usage", "temperature", "uptime", "storage_usage"} <= first.keys()
        assert "cpu_usage" not in second


async def test_a_new_target_state_is_applied_and_reported() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(stage.reports)
        stage.target = {"apps": APPS, "config": {"logging": {"level": "debug"}}, "version": 2}
        stage.etag = '"two"'
        await stage.until(lambda: stage.reports()[-1]["version"] == 2)
        report = next(report for report in stage.reports() if report["version"] == 2)
        service = report["apps"]["1001"]["services"][0]
        assert (service["status"], service["state"], service["serviceId"]) == ("running", "running", 2)
        assert len(service["containerId"]) == 64
        assert report["config"]["logging"] == {"level": "debug"}


async def test_an_answer_without_its_own_uuid_is_a_failure() -> None:
    async with staged() as stage:
        stage.target = None  # type: ignore[assignment]  # what a broken server might send
        async with fleet(stage) as running:
            await stage.until(lambda: len(stage.called("target")) > 1)
            summary = await running.stopped()
        assert next(row for row in summary.rows if row.kind == "poll").errors


async def test_reports_are_patched_while_there_is_no_broker() -> None:
    async with staged(broker=False) as stage, fleet(stage):
        await stage.until(lambda: len(stage.called("report")) > 1)
        report = stage.called("report")[0]
        (register,) = stage.called("register")
        assert report.path == "/api/v1/device/state"
        assert report.headers["Content-Encoding"] == "gzip"
        assert report.headers["X-Device-API-Key"] == register.json["deviceApiKey"]
        assert list(report.json) == [register.json["uuid"]]


async def test_an_unacknowledged_publication_is_patched() -> None:
    async with staged() as stage:
        stage.broker.acknowledges = False
        async with fleet(stage, ack_timeout=0.05):
            await stage.until(lambda: stage.called("report"))
        assert stage.published("/state")[0].payload == stage.called("report")[0].body


async def test_what_could_not_be_reported_follows_stripped_after_the_next_success(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    async with staged(broker=False) as stage:
        stage.target = {"apps": APPS, "config": {}, "version": 3}
        stage.faults["report"].extend([500, 503])
        async with fleet(stage, ledger=ledger):
            await stage.until(lambda: len(stage.called("report")) > 5)
        fresh, *replays = stage.reports()[:3]
        assert fresh["version"] == 3
        for replay in replays:
            assert not STRIPPED & replay.keys()
            service = replay["apps"]["1001"]["services"][0]
            assert "state" not in service
            assert not {"environment", "labels"} & service["config"].keys()
        items = read_lines(ledger.read_text(), "report")[:3]
        assert [(item["sequence"], item["replayed"]) for item in items] == [(3, False), (1, True), (2, True)]
        assert [replay["storage_usage"] for replay in replays] == [item["storage_usage"] for item in items[1:]]


async def test_the_config_is_reported_until_it_was_acknowledged() -> None:
    async with staged(broker=False) as stage:
        stage.faults["report"].append(500)
        async with fleet(stage):
            await stage.until(lambda: len(stage.reports()) > 2)
        fresh, _replay, later = stage.reports()[:3]
        assert "config" in fresh
        assert "config" not in later


async def test_replays_stop_at_the_first_that_fails_three_times() -> None:
    async with staged(broker=False) as stage:
        stage.faults["report"].extend([500, 500, 200, 500, 500, 500])
        async with fleet(stage):
            await stage.until(lambda: len(stage.reports()) > 3)
        kinds = ["version" in report for report in stage.reports()[:4]]
        assert kinds == [True, True, False, False], "fresh, next fresh, then both that waited"


async def test_after_a_reconnection_nothing_is_subscribed_again() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(lambda: len(stage.subscribed()) == 2)
        await stage.broker.stop()
        await stage.until(lambda: stage.called("report"))
        await stage.broker.start()
        seen = len(stage.published("/state"))
        await stage.until(lambda: len(stage.published("/state")) > seen + 1)
        assert len(stage.connected()) == 2
        assert len(stage.subscribed()) == 2


async def test_reports_can_be_switched_off() -> None:
    async with staged() as stage, fleet(stage, reports=False):
        await stage.until(lambda: len(stage.called("target")) > 3)
        assert not stage.reports()
