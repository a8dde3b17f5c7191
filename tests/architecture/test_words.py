"""What must not stand in our files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ENTRYPOINTS, EVERYTHING, RINGS, ROOT, Source, files_in, listed, sources

WORDS = (".cfg", ".ini", ".lock", ".md", ".py", ".sh", ".sql", ".toml", ".txt", ".yaml", ".yml", "")
FOLDERS = (*RINGS, "tests", "contrib", "migrations", ".ci")
PROMISES = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bX" + r"XX\b", r"\bHA" + r"CK\b")))
OUR_OWN_PLACES = re.compile(r"(?<![\w.>*}/])/(?:work|farm)/")
PACKAGE_HOSTS = re.compile("|".join(("pypi" + r"\.org", "python" + "hosted", "npmjs" + r"\.org", "proxy" + ".golang")))
MOCKS = re.compile("|".join(("mock" + r"\.patch", "unittest" + r"\.mock", "Magic" + "Mock")))
SKIPS = re.compile(r"mark\.(?:skip|xfail)" + r"|pytest\.(?:skip|xfail|importorskip)\b")
# The one place that skips: what needs a program that is not installed. `.ci/run` installs them all and takes no skips.
MAY_SKIP = Path("tests/support/programs.py")
UNEXPLAINED = re.compile(r"#\s*type:\s*ignore" + r"(?!\[)")


def _our_files() -> list[Path]:
    """Files of the project that people read."""
    places = [*ROOT.iterdir(), *(path for folder in FOLDERS for path in files_in(ROOT / folder))]
    return sorted(path.relative_to(ROOT) for path in places if path.is_file() and path.suffix in WORDS)


def _found(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    return [
        f"{path}:{number} {line.strip()[:100]}"
        for path in files
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    "pattern",
    [PROMISES, PACKAGE_HOSTS, MOCKS, SKIPS, UNEXPLAINED],
    ids=["promises", "package hosts", "mocks", "skipped tests", "unexplained ignores"],
)
def test_no_file_contains(pattern: re.Pattern[str]) -> None:
    files = [path for path in _our_files() if pattern is not SKIPS or path != MAY_SKIP]
    offenders = _found(pattern, files)
    assert not offenders, listed(offenders)


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    offenders = _found(OUR_OWN_PLACES, [path for path in _our_files() if path.parts[0] != "tests"])
    assert not offenders, listed(offenders)


def _swallowed(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass) for each in node.body):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in {"everything", "Exception", "BaseException"}:
                yield f"{source.at(node.lineno)} catches {caught} and says nothing"


def test_no_error_is_swallowed() -> None:
    offenders = [each for source in sources(*EVERYTHING) for each in _swallowed(source)]
    assert not offenders, listed(offenders)


def test_nothing_sleeps_in_a_thread() -> None:
    """An event loop that sleeps serves nobody. The simulator is a program of its own."""
    simulator = (ENTRYPOINTS, "simulator")
    offenders = [
        source.at(node.lineno)
        for source in sources(*RINGS)
        if source.parts[:2] != simulator
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert not offenders, listed(offenders)
