"""Our own code as the rules see it: files, syntax trees, imports."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
CORE = "core"
ADAPTERS = "adapters"
ENTRYPOINTS = "entrypoints"
PLUGINS = "plugins"
RINGS = (CORE, ADAPTERS, ENTRYPOINTS, PLUGINS)
EVERYTHING = (*RINGS, "tests", "contrib", "iotistic.py")

LEFT_BEHIND = re.compile(r"build|__pycache__|.*\.egg-info|\.[a-z_]+_cache|\.hypothesis")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@frozen(eq=False)
class Source:
    """A Python file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def parts(self) -> tuple[str, ...]:
        """The dotted name, in parts: `core/devices/__init__.py` is core, devices."""
        parts = self.path.with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    def at(self, line: int) -> str:
        """A place in the file as editors understand it."""
        return f"{self.path}:{line}"


def sources(*places: str) -> list[Source]:
    """The Python files of these folders, or files, of the project."""
    return [_source(path) for place in places for path in _python_files(ROOT / place)]


def _python_files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [path for path in files_in(place) if path.suffix == ".py"]


def files_in(folder: Path) -> list[Path]:
    """The files that people wrote, not those that tools left behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(LEFT_BEHIND.fullmatch(part) for part in path.relative_to(folder).parts)
    )


@cache
def _source(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT), text, ast.parse(text, filename=str(path)))


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Line and full name of everything the file imports: `from core.devices import Device` is core.devices.Device."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}"


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    """Every class."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def public(name: str) -> bool:
    """Whether others may use the name."""
    return not name.startswith("_")


def listed(offenders: list[str]) -> str:
    """Offenders, one a line, for the message of an assertion."""
    return "\n  " + "\n  ".join(offenders)
