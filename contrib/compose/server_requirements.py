"""Prints the part of requirements.lock that a server needs, with its hashes: not what only developers do.

    python contrib/compose/server_requirements.py requirements.lock scaled traces > server.lock

What belongs together is read from the comments that pip-compile leaves behind each package ("via …"): a package is
needed when something that is needed asks for it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = "iotistic"
_PACKAGE = re.compile(r"^([a-z0-9._-]+)==", re.IGNORECASE)
_VIA = re.compile(r"^\s+#\s+(?:via\s+)?(\S.*?)\s*$")


def blocks(lock: str) -> Iterator[tuple[str, list[str]]]:
    """Each package of the lock file with its lines."""
    name, lines = "", []
    for line in lock.splitlines():
        found = _PACKAGE.match(line)
        if found:
            if name:
                yield name, lines
            name, lines = found[1].lower(), [line]
        elif name and (line.startswith(" ") and line.strip()):
            lines.append(line)
    if name:
        yield name, lines


def asked_by(lines: list[str]) -> set[str]:
    """Who asks for a package: names of packages, or of our project with extras."""
    words = [found[1] for line in lines if (found := _VIA.match(line)) and found[1] != "via"]
    return {word.lower() for word in words}


def needed(lock: str, direct: set[str]) -> dict[str, list[str]]:
    """The packages named, and whatever they need."""
    known = dict(blocks(lock))
    wanted = {name for name in known if name in direct}
    while True:
        more = {name for name, lines in known.items() if asked_by(lines) & wanted} - wanted
        if not more:
            return {name: lines for name, lines in known.items() if name in wanted}
        wanted |= more


def direct_requirements(pyproject: str, extras: set[str]) -> set[str]:
    """What the project itself asks for, and with those extras."""
    import tomllib

    project = tomllib.loads(pyproject)["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return {re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0].lower().replace("_", "-") for text in texts}


def main() -> None:
    """The command."""
    lock, extras = Path(sys.argv[1]), set(sys.argv[2:])
    pyproject = lock.with_name("pyproject.toml").read_text(encoding="utf-8")
    chosen = needed(lock.read_text(encoding="utf-8"), direct_requirements(pyproject, extras))
    for lines in chosen.values():
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
