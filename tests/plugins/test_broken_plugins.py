"""A plugin that cannot work stops the start, and is named: who installed it must know which one it is."""

from pathlib import Path

import pytest

from core.errors import Conflict, Refusal, Unavailable
from entrypoints.cli.main import main
from tests.plugins.conftest import Installed
from tests.support.application import running_api

HOOK = "from iotistic import *\n\n"


async def _start(data: Path) -> None:
    async with running_api(data, installed=True):
        pass


async def test_a_plugin_that_cannot_be_imported_stops_the_start_by_name(installed: Installed, data: Path) -> None:
    installed.package("hasty", "hasty_plugin", "raise RuntimeError('no luck')\n")
    with pytest.raises(Unavailable, match=r"hasty.*no luck"):
        await _start(data)


async def test_a_plugin_that_is_not_there_stops_the_start_by_name(installed: Installed, data: Path) -> None:
    installed.package("ghost", "ghost_plugin")
    with pytest.raises(Unavailable, match=r"ghost.*ghost_plugin"):
        await _start(data)


async def test_an_answer_to_a_question_nobody_asks_stops_the_start_by_name(installed: Installed, data: Path) -> None:
    installed.package("chatty", "chatty_plugin", HOOK + "@hookimpl\ndef opinions():\n    return []\n")
    with pytest.raises(Unavailable, match=r"chatty.*opinions"):
        await _start(data)


async def test_an_answer_that_wants_to_know_too_much_stops_the_start_by_name(installed: Installed, data: Path) -> None:
    installed.package("nosy", "nosy_plugin", HOOK + "@hookimpl\ndef routes(services, passwords):\n    return []\n")
    with pytest.raises(Unavailable, match=r"(?s)nosy.*passwords"):
        await _start(data)


@pytest.mark.parametrize("question", ["permissions()", "settings()", "migrations()", "routes(services)"])
async def test_an_answer_that_raises_stops_the_start_by_name(installed: Installed, data: Path, question: str) -> None:
    name = f"faulty_{question.partition('(')[0]}"
    installed.package(name, f"{name}_plugin", HOOK + f"@hookimpl\ndef {question}:\n    raise KeyError('oops')\n")
    with pytest.raises(Unavailable, match=rf"{name} cannot answer .*oops"):
        await _start(data)


async def test_a_permission_given_twice_stops_the_start_by_name(installed: Installed, data: Path) -> None:
    text = HOOK + (
        "@hookimpl\ndef permissions():\n"
        "    return [PermissionGrant(Permission('device:read'), Role.VIEWER, 'Mine as well')]\n"
    )
    installed.package("greedy", "greedy_plugin", text)
    with pytest.raises(Conflict, match="device:read"):
        await _start(data)


async def test_a_setting_declared_twice_stops_the_start_by_name(installed: Installed, data: Path) -> None:
    text = HOOK + (
        "@hookimpl\ndef settings():\n    return [Setting(name='PORT', read=text, default='', summary='Mine as well')]\n"
    )
    installed.package("copycat", "copycat_plugin", text)
    with pytest.raises(Refusal, match="PORT is declared twice"):
        await _start(data)


def test_the_command_line_names_a_broken_plugin(installed: Installed, capfd: pytest.CaptureFixture[str]) -> None:
    installed.package("broken", "broken_plugin", "import nothing_of_this_name\n")
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "broken" in capfd.readouterr().err
