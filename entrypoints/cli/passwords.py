"""`iotistic reset-password`: back in, for whoever holds the machine."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from entrypoints.cli.refusals import told


def reset_password(
    username: Annotated[str, typer.Argument(help="The account, by username or e-mail. The first one is admin.")],
    *,
    data: Annotated[Path, typer.Option(help="The data folder.")] = Path("iotistic-data"),
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the new password instead of making one up.")] = False,
) -> None:
    """Give an account a new password, and end its sessions.

    It works on the data folder, whether the control plane runs or not; a running one heeds it within a second. A
    password that is made up is shown once. The audit log says that it was done.
    """
    wanted = typer.prompt("New password", hide_input=True, confirmation_prompt=True) if ask else None
    with told("reset-password"):
        made_up = asyncio.run(_reset(data, dict(os.environ), username, wanted))
    console = Console()
    if made_up is not None:
        console.print(f"  [bold]account[/]   {escape(username)} / {escape(made_up)}", soft_wrap=True, highlight=False)
    console.print("The password is changed and all sessions of the account have ended.", highlight=False)


async def _reset(data: Path, environment: Mapping[str, str], username: str, wanted: str | None) -> str | None:
    from core.actor import SYSTEM
    from core.errors import NotFound
    from core.settings import Settings
    from entrypoints.wiring import features
    from entrypoints.wiring.embedded import DATABASE, embedded
    from entrypoints.wiring.plugins import answers, plugin_manager

    if not (data / DATABASE).is_file():
        raise NotFound(f"{data} is no data folder of iotistic: it has no {DATABASE}; try --data")
    hooks = plugin_manager([features]).hook
    async with embedded(data, Settings(answers(hooks.settings), environment), answers(hooks.migrations)) as inside:
        return await inside.services.accounts.reset_password(SYSTEM, username, wanted)
