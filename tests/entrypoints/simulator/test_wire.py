"""How the agent's requests and publications look, and what is counted of them."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

import pytest
from attrs import evolve

from entrypoints.simulator import wire
from entrypoints.simulator.containers import Containers, Target
from entrypoints.simulator.identity import Account, Identity
from entrypoints.simulator.ledger import Item, Ledger
from entrypoints.simulator.loglines import line, summary
from entrypoints.simulator.moments import iso, millis
from entrypoints.simulator.reports import Report, metrics
from entrypoints.simulator.tally import Latencies, Phase, Tally
from entrypoints.simulator.transport import client_for
from entrypoints.simulator.waits import Backoff

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
ALICE = Identity(uuid="5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56", api_key="ab" * 32, name="alice")


@pytest.mark.parametrize("url", ["http://h:3002", "http://h:3002/", "http://h:3002/api", "http://h:3002/api/"])
def test_an_endpoint_may_be_given_with_and_without_its_api_part(url: str) -> None:
    assert wire.api_base(url) == "http://h:3002/api/v1"


def test_moments_are_in_milliseconds() -> None:
    assert iso(NOON) == "2026-11-24T12:00:00.123Z"
    assert millis(NOON) == 1795521600123


def test_all_calls_after_the_key_exchange_are_signed_with_the_device_key() -> None:
    calls = [
        wire.poll(ALICE, None),
        wire.report_over_http(ALICE, "report", b"{}"),
        wire.logs(ALICE, []),
        wire.dropped_summaries(ALICE, [], 1),
        wire.next_job(ALICE),
        wire.job_update_over_http(ALICE, "j", {}),
    ]
    assert {call.headers["X-Device-API-Key"] for call in calls} == {ALICE.api_key}
    assert not any("Authorization" in call.headers for call in calls)


def test_a_device_that_enrolled_by_v2_reports_on_other_topics_and_hears_its_commands_on_the_same() -> None:
    by_v2 = evolve(ALICE, v2=True)
    assert wire.report_over_mqtt(by_v2, "report", b"").topic == f"state/{ALICE.uuid}"
    assert wire.sensor_batch(by_v2, "modbus", {}).topic == f"sensor/{ALICE.uuid}/modbus"
    assert wire.agent_status(by_v2, {}).topic == f"agent/{ALICE.uuid}/status"
    assert wire.sensor_batch(ALICE, "modbus", {}).topic == f"iot/device/{ALICE.uuid}/sensor/modbus"
    assert wire.jobs_topic(by_v2) == wire.jobs_topic(ALICE)


def test_only_reports_and_logs_are_packed() -> None:
    report = wire.report_over_http(ALICE, "report", b'{"a":1}')
    logs = wire.logs(ALICE, [{"message": "x"}, {"message": "y"}])
    assert gzip.decompress(report.body or b"") == b'{"a":1}'
    assert gzip.decompress(logs.body or b"") == b'{"message":"x"}\n{"message":"y"}\n'
    assert "Content-Encoding" not in wire.dropped_summaries(ALICE, [], 1).headers
    assert "Content-Encoding" not in wire.register(ALICE, "key", "02:00", "1").headers


def test_secrets_do_not_show_when_an_identity_is_printed() -> None:
    account = Account(id=1, username="u", password="hush", broker="mqtt://h")
    assert ALICE.api_key not in repr(ALICE)
    assert "hush" not in repr(account)
    assert ALICE.api_key not in repr(wire.poll(ALICE, None))


def test_an_answer_without_mqtt_is_no_account() -> None:
    with pytest.raises(KeyError):
        Account.from_answer({"id": 1})


def test_a_certificate_comes_with_its_line_breaks_escaped() -> None:
    mqtt = {"username": "u", "password": "p", "broker": "mqtts://h", "brokerConfig": {"caCert": "a\\nb"}}
    assert Account.from_answer({"id": 1, "mqtt": mqtt}).ca_cert == "a\nb"


@pytest.mark.parametrize("broker", ["http://h", "mqtt://", "h:1883"])
async def test_what_is_no_broker_is_refused(broker: str) -> None:
    with pytest.raises(ValueError, match="broker"):
        client_for(Account(id=1, username="u", password="p", broker=broker))


def test_the_same_chance_makes_the_same_device() -> None:
    assert Identity.fresh(Random(7), "n") == Identity.fresh(Random(7), "n")


def test_metrics_are_in_the_units_of_the_contract() -> None:
    made = metrics(Random(1), 5, 12.345, "02:00", "10.0.0.2")
    assert 0 <= made["cpu_usage"] <= 100
    assert made["memory_usage"] < made["memory_total"]
    assert made["uptime"] == pytest.approx(12.345, abs=0.006)
    assert len(made["top_processes"]) == 10
    assert made["storage_usage"] == metrics(Random(2), 4, 1, "", "")["storage_usage"] + 1


def test_a_report_has_its_device_as_single_top_level_key() -> None:
    report = Report(sequence=1, content={"apps": {}, "version": 1})
    assert json.loads(report.payload(ALICE.uuid)) == {ALICE.uuid: {"apps": {}, "version": 1}}


def test_a_service_keeps_its_container_until_it_is_changed() -> None:
    containers = Containers(Random(1))
    service = {"serviceId": "1", "serviceName": "a", "imageName": "i:1"}
    apps = {"1": {"appId": 1, "appName": "x", "services": [service]}}

    def container(apps: Mapping[str, object]) -> object:
        return containers.applied(Target(apps=apps))["1"]["services"][0]["containerId"]

    first = container(apps)
    assert container(apps) == first
    assert container({"1": {"appId": 1, "appName": "x", "services": [{**service, "imageName": "i:2"}]}}) != first


def test_a_flat_service_is_understood() -> None:
    apps = {"1": {"appId": 1, "appName": "x", "services": [{"serviceId": 1, "ports": ["1:2"], "state": "stopped"}]}}
    service = Containers(Random(1)).applied(Target(apps=apps))["1"]["services"][0]
    assert service["config"]["ports"] == ["1:2"]
    assert (service["status"], service["state"]) == ("exited", "stopped")


def test_a_summary_counts_what_was_lost() -> None:
    lost = [line(Random(seed), ALICE.uuid, str(seed), NOON) for seed in range(50)]
    made = summary(lost, "retry_exhausted", NOON)
    assert made["totalCount"] == 50
    assert made["levelCounts"]["error"] == sum(entry["level"] == "error" for entry in lost)
    assert len(made["errorSamples"]) <= 5
    assert made["timeRange"] == {"start": millis(NOON), "end": millis(NOON)}


def test_back_off_doubles_up_to_a_quarter_of_an_hour_and_then_breaks() -> None:
    backoff = Backoff(Random(1), scale=1)
    waits = [backoff.failed() for _ in range(10)]
    assert 10.5 <= waits[0] <= 19.5
    assert 21 <= waits[1] <= 39
    assert max(waits) <= 900 * 1.3
    assert waits[9] == 300
    backoff.reset()
    assert backoff.failed() <= 19.5


def test_percentiles_are_within_a_percent() -> None:
    latencies = Latencies()
    for milliseconds in range(1, 1001):
        latencies.add(milliseconds / 1000)
    assert latencies.percentile(0.5) == pytest.approx(500, rel=0.01)
    assert latencies.percentile(0.99) == pytest.approx(990, rel=0.01)
    assert latencies.highest == 1000


def test_nothing_counted_has_percentiles_of_zero() -> None:
    assert Latencies().percentile(0.99) == 0


def test_a_summary_names_the_last_error_of_each_kind() -> None:
    tally = Tally(2)
    tally.entered(0, Phase.MQTT)
    tally.entered(0, Phase.STOPPED)
    tally.succeeded("poll", 0.01)
    tally.failed("poll", "HTTP 500")
    made = tally.summary(3)
    assert (made.registered, made.requests, made.errors) == (1, 1, 1)
    assert made.rows[0].last_error == "HTTP 500"
    assert json.loads(json.dumps(made.as_json()))["rows"][0]["kind"] == "poll"


def test_a_ledger_without_a_file_writes_nothing() -> None:
    ledger = Ledger(None)
    ledger.write(Item(kind="log", uuid="u", facts={}))
    ledger.close()
