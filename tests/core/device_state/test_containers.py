"""Services that would make agents loop are refused or written differently (contract §9.4; §12.1 item 27; G-07)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.device_state.containers import checked_service
from core.device_state.findings import Caution, Findings
from core.errors import Invalid


def checked(**config: Any) -> tuple[dict[str, Any], tuple[Caution, ...]]:
    """The config of a service, and what is said of it."""
    found = Findings()
    service = {"serviceId": 1, "serviceName": "nginx", "imageName": "nginx:1.27", "config": config}
    return checked_service(service, "s", found)["config"], found.settled()


def refused(service: dict[str, Any]) -> dict[str, str]:
    """The fields that are refused, with the reasons."""
    found = Findings()
    checked_service(service, "s", found)
    with pytest.raises(Invalid) as refusal:
        found.settled()
    return refusal.value.fields


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        ("8080:80/udp", "TCP only"),
        ("8080:80/sctp", "TCP only"),
        ("127.0.0.1:8080:80", "an address of the host"),
        ("[::1]:8080:80", "an address of the host"),
        ("8080-8090:80-90", "a range"),
        ("80", "must read host:container"),
        (80, "must read host:container"),
        ("0:80", "between 1 and 65535"),
        ("8080:70000", "between 1 and 65535"),
        ("eighty:80", "must read host:container"),
        (None, "must read host:container"),
    ],
)
def test_a_port_that_agents_never_see_again_is_refused(port: Any, reason: str) -> None:
    """§12.1 item 27."""
    fields = refused({"serviceName": "a", "imageName": "a:1", "config": {"ports": ["1:1", port]}})
    assert list(fields) == ["s.config.ports[1]"]
    assert reason in fields["s.config.ports[1]"]


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        ("a:/b:ro", "option ro"),
        ("data:/b:z", "option z"),
        ("./data:/b", "relative"),
        ("../data:/b", "relative"),
        ("x:/b", "name of a volume"),
        ("data:b", "absolute path in the container"),
        ("data", "source:target"),
        (":/b", "source:target"),
    ],
)
def test_a_volume_that_agents_never_see_again_is_refused(volume: str, reason: str) -> None:
    """§12.1 item 27."""
    fields = refused({"serviceName": "a", "imageName": "a:1", "config": {"volumes": [volume]}})
    assert list(fields) == ["s.config.volumes[0]"]
    assert reason in fields["s.config.volumes[0]"]


@pytest.mark.parametrize(
    ("field", "service"),
    [
        ("s.serviceName", {"serviceName": "-web"}),
        ("s.serviceName", {"serviceName": "my web"}),
        ("s.serviceName", {"serviceName": "../etc"}),
        ("s.serviceName", {"serviceName": "wéb"}),
        ("s.state", {"state": "restarting"}),
        ("s.config", {"config": "text"}),
        ("s.config.restart", {"config": {"restart": "on-failure:5"}}),
        ("s.config.ports", {"config": {"ports": "80:80"}}),
        ("s.config.ports[1]", {"config": {"ports": ["80:80", "80:80/tcp"]}}),
        ("s.config.ports", {"config": {"ports": ["80:80"], "networkMode": "host"}}),
        ("s.config.networks", {"config": {"networks": ["backend"], "networkMode": "host"}}),
        ("s.config.networks[0]", {"config": {"networks": ["back end"]}}),
        ("s.config.networkMode", {"config": {"networkMode": "host mode"}}),
        ("s.config.volumes[1]", {"config": {"volumes": ["one:/data", "two:/data"]}}),
        ("s.config.environment", {"config": {"environment": ["A=1"]}}),
        ("s.config.environment", {"config": {"environment": {"A=B": "1"}}}),
        ("s.config.environment.A", {"config": {"environment": {"A": {"b": 1}}}}),
        ("s.config.environment.A", {"config": {"environment": {"A": None}}}),
        ("s.config.labels", {"config": {"labels": []}}),
        ("s.imageName", {"imageName": "Nginx:1"}),
        ("s.imageName", {"imageName": "nginx:1 "}),
        ("s.imageName", {"imageName": "nginx:"}),
        ("s.imageName", {"imageName": "registry:5000/../x"}),
        ("s.imageName", {"imageName": "nginx@sha256:abc"}),
        ("s.imageName", {"imageName": "x" * 600}),
    ],
)
def test_a_refusal_names_the_field(field: str, service: dict[str, Any]) -> None:
    assert list(refused({"serviceName": "a", "imageName": "a:1", **service})) == [field]


def test_all_that_is_wrong_is_told_at_once() -> None:
    fields = refused({"serviceName": "a b", "imageName": "A", "config": {"ports": ["1:1/udp"], "restart": "never"}})
    assert list(fields) == ["s.serviceName", "s.imageName", "s.config.ports[0]", "s.config.restart"]


@pytest.mark.parametrize(
    ("config", "kept", "field"),
    [
        ({"ports": ["8080:80/tcp"]}, {"ports": ["8080:80"]}, "s.config.ports[0]"),
        ({"ports": ["08080:80"]}, {"ports": ["8080:80"]}, "s.config.ports[0]"),
        ({"volumes": ["data:/b:rw"]}, {"volumes": ["data:/b"]}, "s.config.volumes[0]"),
    ],
)
def test_what_can_be_said_as_docker_shows_it_is_changed_and_told(
    config: dict[str, Any], kept: dict[str, Any], field: str
) -> None:
    changed, cautions = checked(**config)
    assert changed == kept
    assert [caution.field for caution in cautions] == [field]
    assert "was changed to" in cautions[0].message


@pytest.mark.parametrize("name", ["ports", "volumes", "networks"])
def test_the_order_of_several_stays_and_is_doubted(name: str) -> None:
    entries = {"ports": ["2:2", "1:1"], "volumes": ["zz:/z", "aa:/a"], "networks": ["zz", "aa"]}[name]
    config, cautions = checked(**{name: entries})
    assert config == {name: entries}
    assert [caution.field for caution in cautions] == [f"s.config.{name}"]


def test_values_of_the_environment_become_text_as_javascript_writes_it() -> None:
    config, cautions = checked(environment={"A": 1, "B": True, "C": 1.5, "D": "x", "E": "", "F": 2.0})
    assert config["environment"] == {"A": "1", "B": "true", "C": "1.5", "D": "x", "E": "", "F": "2"}
    assert cautions == ()


def test_what_stands_beside_config_is_moved_there() -> None:
    """§9.1: agents take it flat as well."""
    found = Findings()
    flat = {"serviceId": 1, "serviceName": "a", "image": "nginx:1", "ports": ["1:2"], "environment": {"A": 1}, "x": 1}
    assert checked_service(flat, "s", found) == {
        "serviceId": 1,
        "serviceName": "a",
        "imageName": "nginx:1",
        "config": {"ports": ["1:2"], "environment": {"A": "1"}},
        "x": 1,
    }
    assert found.settled() == ()


@pytest.mark.parametrize("name", ["imageName", "serviceName"])
def test_a_service_that_cannot_start_is_doubted(name: str) -> None:
    found = Findings()
    service = {"serviceName": "a", "imageName": "a:1"}
    del service[name]
    checked_service(service, "s", found)
    assert [caution.field for caution in found.settled()] == [f"s.{name}"]


@pytest.mark.parametrize(
    ("image", "kept", "doubt"),
    [
        ("nginx", "nginx", "names no tag"),
        ("docker.io/library/nginx:1", "nginx:1", "was changed to nginx:1"),
        ("docker.io/team/app:1", "team/app:1", "was changed to team/app:1"),
        (f"nginx:1@sha256:{'a' * 64}", f"nginx:1@sha256:{'a' * 64}", "a tag and a digest"),
        ("registry.example:5000/team/app:2.0", "registry.example:5000/team/app:2.0", None),
        (f"ghcr.io/a/b@sha256:{'0' * 64}", f"ghcr.io/a/b@sha256:{'0' * 64}", None),
    ],
)
def test_an_image_is_spelled_as_docker_shows_it(image: str, kept: str, doubt: str | None) -> None:
    found = Findings()
    service = checked_service({"serviceName": "a", "image": image, "config": {"image": image}}, "s", found)
    assert (service["imageName"], service["config"]["image"]) == (kept, kept)
    messages = [caution.message for caution in found.settled()]
    assert len(messages) == (0 if doubt is None else 1)
    assert all(str(doubt) in message for message in messages)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=12), below, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["serviceName", "imageName", "image", "state", "config", "ports", "volumes", "environment", "networks", "restart"]
)


@given(st.dictionaries(fields, json, max_size=6))
def test_whatever_is_sent_is_refused_or_taken_and_then_taken_again(service: dict[str, Any]) -> None:
    found = Findings()
    once = checked_service(service, "s", found)
    try:
        found.settled()
    except Invalid:
        return
    again = Findings()
    assert checked_service(once, "s", again) == once
    assert not [caution for caution in again.settled() if "was changed" in caution.message]
