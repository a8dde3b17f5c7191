"""Each hook, answered by a plugin that is installed beside the running application."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from core.actor import Role
from core.errors import Invalid
from entrypoints.cli.main import command_line
from entrypoints.wiring.embedded import DATABASE
from tests.plugins import tiny
from tests.support.application import Api, running_api

pytestmark = pytest.mark.usefixtures("tiny_plugin")


@pytest_asyncio.fixture
async def extended(tiny_plugin: None, data: Path) -> AsyncIterator[Api]:
    """The application, with the tiny plugin."""
    async with running_api(data, installed=True, TINY_SIZE="5") as api:
        yield api


async def test_the_permissions_hook_lets_roles_do_more(extended: Api) -> None:
    held = extended.running.services.permissions
    assert tiny.TINY_READ in held.of(Role.OPERATOR)
    assert tiny.TINY_READ not in held.of(Role.VIEWER)


async def test_the_settings_hook_makes_a_setting_readable(extended: Api) -> None:
    assert extended.running.services.settings[tiny.SIZE] == 5


async def test_the_settings_hook_lets_a_bad_value_stop_the_start_by_name(data: Path) -> None:
    with pytest.raises(Invalid, match="TINY_SIZE"):
        async with running_api(data, installed=True, TINY_SIZE="enormous"):
            pass


async def test_the_migrations_hook_makes_tables(extended: Api, data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM tiny_things").fetchone() == (0,)


async def test_the_subscribe_hook_hears_of_what_happened(extended: Api) -> None:
    device = await extended.device()
    await extended.settle()
    assert {event.uuid for event in tiny.memory.heard} == {device.uuid}


@pytest.mark.usefixtures("extended")
async def test_the_periodic_hook_has_things_done() -> None:
    async with asyncio.timeout(5):
        await tiny.memory.ran.wait()


async def test_the_issuers_hook_adds_to_the_answer_of_a_registration(extended: Api) -> None:
    device = await extended.device(deviceName="level")
    assert device.answer["tiny"] == "level"


async def test_the_pings_hook_is_part_of_being_ready(extended: Api) -> None:
    assert (await extended.stranger.get("/ready", root=True)).body["checks"]["tiny"] == "ok"
    tiny.memory.broken.add("ping")
    answer = await extended.stranger.get("/ready", root=True)
    assert (answer.status, answer.body["failing"]) == (503, ["tiny"])


async def test_the_routes_hook_serves_behind_its_guard(extended: Api) -> None:
    assert (await extended.stranger.get("/tiny")).status == 401
    assert (await (await extended.person(Role.VIEWER)).get("/tiny")).status == 403
    assert (await (await extended.person(Role.OPERATOR)).get("/tiny")).body == {"size": 5}


def test_the_commands_hook_adds_a_group() -> None:
    result = CliRunner().invoke(command_line(), ["tiny", "size"])
    assert (result.exit_code, result.output.strip()) == (0, "very tiny")


async def test_questions_are_shown_when_wanted(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with running_api(data, installed=True, IOTISTIC_TRACE_HOOKS="1"):
        pass
    assert any("permissions" in record.message for record in caplog.records if record.message.startswith("hook"))


async def test_questions_are_not_shown_otherwise(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with running_api(data, installed=True):
        pass
    assert not [record for record in caplog.records if record.message.startswith("hook")]
