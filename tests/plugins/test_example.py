"""contrib/example_plugin is a package like those of others: built, installed and tested as they are."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "contrib" / "example_plugin"
PATIENCE_SECONDS = 120


def _run(*command: str | Path, path: Path | None = None) -> str:
    environment = os.environ | ({} if path is None else {"PYTHONPATH": str(path)})
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed. It is built from a copy, since building leaves things behind."""
    copy = tmp_path_factory.mktemp("source") / "example_plugin"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*_cache"))
    folder = tmp_path_factory.mktemp("target")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    _run("pip", "install", *options, "--target", folder, copy)
    return folder


def test_the_example_is_found_by_its_entry_point(target: Path) -> None:
    (found,) = distributions(name="iotistic-notes", path=[str(target)])
    (entry,) = found.entry_points.select(group="iotistic")
    assert (entry.name, entry.value) == ("notes", "iotistic_notes.plugin")


def test_the_example_brings_its_migrations(target: Path) -> None:
    assert [path.name for path in target.glob("iotistic_notes/migrations/sqlite/*.sql")] == ["001_notes.sql"]


def test_the_tests_of_the_example_pass_where_it_is_installed(target: Path) -> None:
    options = ["-c", str(EXAMPLE / "pyproject.toml"), "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    printed = _run("pytest", *options, EXAMPLE / "tests", path=target)
    assert "skipped" not in printed


def test_the_example_uses_the_public_page_only() -> None:
    private = ("core", "adapters", "entrypoints", "plugins")
    lines = [line for path in EXAMPLE.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    assert not [
        line
        for line in lines
        if line.startswith(tuple(f"{word} {ring}" for word in ("from", "import") for ring in private))
    ]
