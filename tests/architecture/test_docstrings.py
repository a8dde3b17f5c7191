"""Whatever others may use says what it is for."""

import ast
from collections.abc import Iterator

from tests.architecture.source import RINGS, Function, Source, listed, public, sources


def _undocumented(source: Source, node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for each in node.body:
        if isinstance(each, ast.ClassDef | Function) and public(each.name):
            if not ast.get_docstring(each):
                yield f"{source.at(each.lineno)} {prefix}{each.name}"
            if isinstance(each, ast.ClassDef):
                yield from _undocumented(source, each, f"{each.name}.")


def test_every_module_says_what_it_is_for() -> None:
    offenders = [str(source.path) for source in sources(*RINGS, "iotistic.py") if not ast.get_docstring(source.tree)]
    assert not offenders, listed(offenders)


def test_every_public_class_and_function_says_what_it_is_for() -> None:
    offenders = [each for source in sources(*RINGS) for each in _undocumented(source, source.tree)]
    assert not offenders, listed(offenders)
