"""`iotistic reset-password`: whoever holds the machine gets back in."""

import asyncio
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.access import PasswordChanged
from core.actor import SYSTEM, Role
from core.audit import AuditQuery
from core.transactions import ELSEWHERE
from entrypoints.cli.main import command_line
from tests.support.application import OWNER_PASSWORD, Api, running_api

NEW = "another password"


def reset(data: Path, *arguments: str, typed: str | None = None) -> Result:
    words = ["reset-password", *arguments, "--data", str(data)]
    return CliRunner().invoke(command_line(), words, input=typed, env={"PASSWORD_HASH_COST": "4"})


async def test_beside_a_running_server_the_new_password_works_and_sessions_end_at_once(api: Api) -> None:
    owner, ended = await api.person(Role.OWNER), asyncio.Event()
    assert (await owner.get("/devices")).status == 200
    api.running.services.signals.on(ELSEWHERE, lambda _key: ended.set())
    result = await asyncio.to_thread(reset, api.data, "admin", "--ask", typed=f"{NEW}\n{NEW}\n")
    assert result.exit_code == 0, result.output
    await asyncio.wait_for(ended.wait(), timeout=10)
    assert (await owner.get("/devices")).status == 401
    assert await api.log_in("admin", NEW)
    old = await api.stranger.post("/auth/login", {"username": "admin", "password": OWNER_PASSWORD})
    assert old.status == 401
    assert NEW not in result.output


async def test_while_nothing_runs_a_password_is_made_up_and_shown_once_and_the_audit_log_knows(data: Path) -> None:
    async with running_api(data):
        pass
    result = await asyncio.to_thread(reset, data, "ADMIN")
    assert result.exit_code == 0, result.output
    shown = result.output.splitlines()[0].rpartition("/ ")[2].strip()
    async with running_api(data) as api:
        assert await api.log_in("admin", shown)
        await api.settle()
        page = await api.running.services.audit_log.entries(SYSTEM, AuditQuery(event=PasswordChanged.NAME))
    assert [entry.actor for entry in page.items] == ["system"]
    assert shown not in str(page)


@pytest.mark.parametrize(("arguments", "told"), [(("nobody",), "nobody here"), (("admin", "--ask"), "8 to 72 bytes")])
async def test_what_cannot_be_done_is_refused_in_words(data: Path, arguments: tuple[str, ...], told: str) -> None:
    async with running_api(data):
        pass
    result = await asyncio.to_thread(reset, data, *arguments, typed="short\nshort\n")
    assert result.exit_code == 1
    assert told in result.output


def test_a_folder_that_is_none_is_not_made(tmp_path: Path) -> None:
    result = reset(tmp_path / "nothing", "admin")
    assert result.exit_code == 1
    assert "--data" in result.output
    assert not (tmp_path / "nothing").exists()
