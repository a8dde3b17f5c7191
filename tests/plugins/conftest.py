"""Packages that are installed beside us, as far as Python can tell."""

from pathlib import Path

import pytest

from tests.plugins import tiny


class Installed:
    """A folder on the path where packages with entry points are put."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def package(self, name: str, module: str, text: str | None = None) -> None:
        """Install a plugin: the module it names and, if there is none yet, the module's text."""
        metadata = self._folder / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text(f"[iotistic]\n{name} = {module}\n", encoding="utf-8")
        if text is not None:
            (self._folder / f"{module}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Where this test installs its plugins."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return Installed(folder)


@pytest.fixture
def tiny_plugin(installed: Installed) -> None:
    """The tiny plugin is installed."""
    tiny.forget()
    installed.package("tiny", "tests.plugins.tiny")
