"""Secrets of the installation, kept as files that only their owner can read."""

import os
import secrets
from pathlib import Path

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700


class SecretFiles:
    """A folder of secrets, each made on first use: nothing has a default that others could know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, size: int = 32) -> str:
        """The secret of that name in hexadecimal, the same from now on. Raises OSError if the folder is not ours."""
        path = self._folder / name
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            write_private(path, secrets.token_hex(size) + "\n")
            return path.read_text(encoding="ascii").strip()


def write_private(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a file that only its owner may read; what another process wrote first stays, unless `replace`.

    The file appears whole or not at all, also after a crash.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        if replace:
            draft.replace(path)
        elif not path.exists():
            os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
