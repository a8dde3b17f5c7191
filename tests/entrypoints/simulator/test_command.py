"""`iotistic simulate` from the outside."""

import json
import socket
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from entrypoints.simulator.command import simulate
from entrypoints.simulator.display import summary_view
from entrypoints.simulator.tally import Phase, Tally


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(simulate)
    return app


@pytest.fixture
def nobody() -> str:
    """The address of a server that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_fleet_that_meets_no_server_ends_with_an_error_and_says_why(
    command: typer.Typer, nobody: str, tmp_path: Path
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["--url", nobody, "--key", "k", "-n", "2", "--duration", "0.3", "--json", str(figures)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "0 of 2 devices registered" in result.output
    row = json.loads(figures.read_text())["rows"][0]
    assert (row["kind"], row["count"], row["errors"]) == ("register", 0, 2)
    assert "ClientConnectorError" in row["last_error"]


def test_a_quiet_fleet_shows_nothing(command: typer.Typer, nobody: str) -> None:
    arguments = ["--url", nobody, "--duration", "0.1", "--quiet"]
    result = CliRunner().invoke(command, arguments, env={"PROVISIONING_KEY": "k"})
    assert result.output == ""


def test_without_a_provisioning_key_it_says_which_is_missing(command: typer.Typer) -> None:
    result = CliRunner().invoke(command, [], env={"PROVISIONING_KEY": ""})
    assert result.exit_code == 2
    assert "--key" in result.output


def test_the_words_of_a_server_are_shown_as_they_are() -> None:
    tally = Tally(1)
    tally.entered(0, Phase.MQTT)
    tally.failed("poll", "HTTP 500: [bold]boom[/]")
    console = Console(width=200)
    with console.capture() as shown:
        console.print(summary_view(tally.summary(1)))
    assert "[bold]boom[/]" in shown.get()
