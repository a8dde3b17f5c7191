"""Settings are declared, documented, and refused by name."""

import re
from datetime import timedelta

import pytest

from core.errors import Invalid
from core.settings import AnySetting, Settings
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager
from tests.architecture.source import RINGS, listed, sources

LONGEST_SUMMARY = 120
DECLARED: list[AnySetting] = answers(plugin_manager([features], installed=False).hook.settings)
BY_NAME = {setting.name: setting for setting in DECLARED}
WRONG = {
    "PORT": "http",
    "MQTT_PORT": "70000",
    "HEARTBEAT_OFFLINE_THRESHOLD": "soon",
    "MAX_DEVICES": "-1",
    "IOTISTIC_TRACE_HOOKS": "perhaps",
}


@pytest.mark.parametrize("setting", DECLARED, ids=[setting.name for setting in DECLARED])
def test_a_setting_is_documented(setting: AnySetting) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", setting.name)
    assert 10 <= len(setting.summary) <= LONGEST_SUMMARY
    assert not setting.summary.endswith("."), "a summary is a line in a table"


@pytest.mark.parametrize("setting", DECLARED, ids=[setting.name for setting in DECLARED])
def test_nothing_has_to_be_set(setting: AnySetting) -> None:
    assert Settings(DECLARED, {})[setting] == setting.default
    assert Settings(DECLARED, {setting.name: "  "})[setting] == setting.default


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_bad_value_is_refused_by_name(name: str) -> None:
    with pytest.raises(Invalid, match=name) as refused:
        Settings(DECLARED, {name: WRONG[name]})
    assert set(refused.value.fields) == {name}


def test_all_bad_values_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        Settings(DECLARED, WRONG)
    assert set(refused.value.fields) == set(WRONG)


def test_a_refusal_does_not_repeat_a_secret() -> None:
    secrets = {setting.name: "tell-nobody" for setting in DECLARED if setting.secret}
    assert secrets
    with pytest.raises(Invalid) as refused:
        Settings(DECLARED, secrets | {"PORT": "http"})
    assert "tell-nobody" not in refused.value.message


@pytest.mark.parametrize(
    "known", ["admin123", "password", "Password1!", "changeme-now", "your-super-secret-token", "letmein"]
)
@pytest.mark.parametrize("name", ["IOTISTIC_ADMIN_PASSWORD", "MOSQUITTO_AUTH_SECRET", "METRICS_TOKEN"])
def test_a_secret_of_published_examples_stops_the_start(name: str, known: str) -> None:
    """Abuse case 27."""
    with pytest.raises(Invalid, match=name) as refused:
        Settings(DECLARED, {name: known})
    assert known not in refused.value.message


def test_a_time_span_is_read_as_people_write_it() -> None:
    threshold = BY_NAME["HEARTBEAT_OFFLINE_THRESHOLD"]
    read = {text: Settings(DECLARED, {threshold.name: text})[threshold] for text in ("90s", "2m", "1.5h", "45")}
    assert read == {
        "90s": timedelta(seconds=90),
        "2m": timedelta(minutes=2),
        "1.5h": timedelta(minutes=90),
        "45": timedelta(seconds=45),
    }


def test_a_name_is_declared_once() -> None:
    assert len(DECLARED) == len(BY_NAME)


def test_every_setting_is_read_by_somebody() -> None:
    """A setting that nobody reads lies to whoever sets it."""
    words = {
        found[1]: setting.name
        for setting in DECLARED
        for source in sources(*RINGS)
        if (
            found := re.search(
                rf'^([A-Z_]+)(?:: [^=]+)? = Setting\(\s*name="{setting.name}"', source.text, re.MULTILINE
            )
        )
    }
    everything = "\n".join(source.text for source in sources(*RINGS))
    unread = [name for word, name in words.items() if not re.search(rf"\[(?:\w+\.)?{word}\]", everything)]
    assert set(words.values()) == set(BY_NAME), "settings are constants of their module"
    assert not unread, listed(unread)


def test_the_environment_is_read_in_one_way() -> None:
    """`os.environ` is handed in by the command line; everything else reads declared settings."""
    asks = re.compile(r"os\.(?:environ|getenv)")
    offenders = [
        str(source.path)
        for source in sources(*RINGS)
        if asks.search(source.text) and source.parts[:2] != ("entrypoints", "cli")
    ]
    assert not offenders, listed(offenders)
