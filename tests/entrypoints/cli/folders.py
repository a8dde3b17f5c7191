"""Data folders for the commands that look at them."""

from pathlib import Path

from adapters.system import SecretFiles
from adapters.system.secrets import OWNER_ONLY, OWNER_ONLY_FOLDER
from core.migrations import OURS, MigrationFolder
from tests.support.parts import MIGRATIONS

FOLDERS = [MigrationFolder(OURS, MIGRATIONS)]


def a_data_folder(data: Path, migrated: Path) -> Path:
    """A data folder as a start leaves it."""
    data.mkdir(mode=OWNER_ONLY_FOLDER)
    (data / "iotistic.db").touch(mode=OWNER_ONLY)
    (data / "iotistic.db").write_bytes(migrated.read_bytes())
    SecretFiles(data / "secrets").get("jwt")
    return data


def unnoticed(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""
