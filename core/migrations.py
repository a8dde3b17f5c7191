"""Where the tables of a feature or a plugin come from."""

from pathlib import Path

from attrs import frozen

OURS = "iotistic"


@frozen
class MigrationFolder:
    """Numbered SQL files in a folder per database (`sqlite/001_words.sql`). A plugin's tables start with `owner_`."""

    owner: str
    path: Path
