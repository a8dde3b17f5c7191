"""How commands refuse."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from core.errors import Refusal


@contextmanager
def told(command: str) -> Iterator[None]:
    """Say a refusal in words on stderr, and leave with status 1."""
    try:
        yield
    except Refusal as refusal:
        words = f"[bold red]iotistic {command}:[/] {escape(refusal.message)}"
        Console(stderr=True).print(words, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from refusal
