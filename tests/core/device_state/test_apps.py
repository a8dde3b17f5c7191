"""The apps of a desired state, as people send them and as agents read them."""

from typing import Any

import pytest

from core.device_state.apps import normalised_apps, normalised_config
from core.device_state.model import Content
from core.errors import Invalid


def test_apps_may_come_as_a_list() -> None:
    apps = normalised_apps([{"appId": 7, "appName": "web"}, {"appId": "8", "appName": "db"}])
    assert apps == {
        "7": {"appId": 7, "appName": "web", "services": []},
        "8": {"appId": 8, "appName": "db", "services": []},
    }


def test_ids_become_whole_numbers() -> None:
    service = {"serviceId": "3", "serviceName": "nginx", "imageName": "nginx"}
    apps = normalised_apps({"1001": {"appName": "web", "services": [service]}})
    assert apps["1001"]["appId"] == 1001
    assert apps["1001"]["services"][0]["serviceId"] == 3


def test_a_service_without_id_gets_a_free_one() -> None:
    services: list[dict[str, Any]] = [{"serviceId": 1}, {}, {"serviceId": 2}, {}]
    apps = normalised_apps({"1": {"services": services}})
    assert [service["serviceId"] for service in apps["1"]["services"]] == [1, 3, 2, 4]


def test_what_is_not_known_of_an_app_stays() -> None:
    apps = normalised_apps({"1": {"appUuid": "u", "services": [{"serviceId": 1, "config": {"ports": ["1:2"]}}]}})
    assert apps["1"]["appUuid"] == "u"
    assert apps["1"]["services"][0]["config"] == {"ports": ["1:2"]}


@pytest.mark.parametrize(
    "apps",
    [
        "text",
        7,
        {"x": {}},
        {"0": {}},
        {"-1": {}},
        {"1.5": {}},
        {"1": "text"},
        {"1": {"appId": 2}},
        {"1": {"appId": True}},
        {"1": {"appName": ""}},
        {"1": {"services": {}}},
        {"1": {"services": ["text"]}},
        {"1": {"services": [{"serviceId": "x"}]}},
        {"1": {"services": [{"serviceId": 1}, {"serviceId": "1"}]}},
        {"1": {"services": [{"serviceName": 7}]}},
        [{"appName": "without id"}],
        [{"appId": 1}, {"appId": "1"}],
    ],
)
def test_apps_that_agents_cannot_read_are_refused(apps: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        normalised_apps(apps)
    assert refusal.value.fields


@pytest.mark.parametrize("days", [0, 25, 90, "7", True, None])
def test_a_restart_interval_that_makes_agents_loop_is_refused(days: Any) -> None:
    """Contract §9.1, the trap."""
    config = {"settings": {"scheduledRestart": {"enabled": True, "intervalDays": days}}}
    if days is None:
        assert normalised_config(config) == config
    else:
        with pytest.raises(Invalid, match="between 1 and 24"):
            normalised_config(config)


def test_content_is_bounded() -> None:
    with pytest.raises(Invalid, match="bytes together"):
        Content.of({}, {"text": "x" * 1_100_000})
    with pytest.raises(Invalid, match="config must be an object"):
        Content.of({}, [])
    with pytest.raises(Invalid, match="at most 500 apps"):
        Content.of({str(number): {} for number in range(1, 600)}, {})
