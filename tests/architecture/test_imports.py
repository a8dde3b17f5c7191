"""What import-linter cannot say: front doors, the core's few libraries, and who may use the public page."""

import sys

from tests.architecture.source import ADAPTERS, CORE, ENTRYPOINTS, PLUGINS, RINGS, ROOT, imports, listed, sources

CORE_LIBRARIES = {"attrs", "core"}
INSIDE_A_FEATURE = 3


def _is_inside_a_feature(name: str) -> bool:
    """Whether a name is a submodule of a feature, or something in one."""
    parts = name.split(".")
    return (
        len(parts) >= INSIDE_A_FEATURE
        and parts[0] == CORE
        and ((ROOT.joinpath(*parts[:3])).with_suffix(".py").is_file() or (ROOT.joinpath(*parts[:3])).is_dir())
    )


def test_a_feature_is_entered_by_its_front_door_only() -> None:
    offenders = [
        f"{source.at(line)} imports {name}"
        for source in sources(*RINGS)
        for line, name in imports(source)
        if _is_inside_a_feature(name) and source.parts[:2] != tuple(name.split("."))[:2]
    ]
    assert not offenders, listed(offenders)


def test_a_front_door_says_what_it_lets_out() -> None:
    offenders = [
        str(door.path)
        for door in sources(CORE)
        if door.path.name == "__init__.py" and len(door.parts) > 1 and "__all__" not in door.text
    ]
    assert not offenders, listed(offenders)


def test_the_core_needs_the_standard_library_and_attrs() -> None:
    allowed = sys.stdlib_module_names | CORE_LIBRARIES
    offenders = [
        f"{source.at(line)} imports {name}"
        for source in sources(CORE)
        for line, name in imports(source)
        if name.split(".")[0] not in allowed | ({"pluggy"} if source.parts == (CORE, "hookspecs") else set())
    ]
    assert not offenders, listed(offenders)


def test_the_core_takes_neither_time_nor_chance() -> None:
    forbidden = ("random.", "secrets.", "uuid.uuid", "time.time", "time.monotonic")
    offenders = [
        f"{source.at(line)} imports {name}"
        for source in sources(CORE)
        for line, name in imports(source)
        if f"{name}.".startswith(forbidden)
    ]
    asked = [source.path.name for source in sources(CORE) if "datetime.now(" in source.text]
    assert not offenders + asked, listed(offenders + asked)


def test_imports_are_absolute() -> None:
    offenders = [
        f"{source.at(line)} imports {name}"
        for source in sources(*RINGS, "tests")
        for line, name in imports(source)
        if name.startswith(".")
    ]
    assert not offenders, listed(offenders)


def test_the_public_page_is_for_others() -> None:
    offenders = [
        f"{source.at(line)} imports {name}"
        for source in sources(CORE, ADAPTERS, ENTRYPOINTS)
        for line, name in imports(source)
        if name.split(".")[0] == "iotistic"
    ]
    assert not offenders, listed(offenders)


def test_plugins_do_not_know_each_other() -> None:
    offenders = [
        f"{source.at(line)} imports {name}"
        for source in sources(PLUGINS)
        for line, name in imports(source)
        if name.startswith("plugins.") and tuple(name.split("."))[:2] != source.parts[:2]
    ]
    assert not offenders, listed(offenders)


def test_every_folder_of_code_is_a_package() -> None:
    """Folders without an `__init__.py` are invisible to import-linter, which would then keep silent about them."""
    folders = {source.path.parent for source in sources(*RINGS)}
    offenders = [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()]
    assert not offenders, listed(offenders)
