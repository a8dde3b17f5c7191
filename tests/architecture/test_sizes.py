"""How large things may become before they must be two things."""

from tests.architecture.source import EVERYTHING, classes, functions, listed, public, sources
from tests.architecture.source import Function as FunctionNode

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 50
MOST_PUBLIC_METHODS = 12


def test_no_file_is_too_long() -> None:
    lengths = [(source.path, len(source.text.splitlines())) for source in sources(*EVERYTHING)]
    offenders = [f"{path} has {lines} lines" for path, lines in lengths if lines > MOST_LINES_OF_A_FILE]
    assert not offenders, listed(offenders)


def test_no_function_is_too_long() -> None:
    offenders = [
        f"{source.at(function.lineno)} {function.name} has {lines} lines"
        for source in sources(*EVERYTHING)
        for function in functions(source.tree)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not offenders, listed(offenders)


def test_no_class_does_too_much() -> None:
    offenders = [
        f"{source.at(kind.lineno)} {kind.name} has {len(methods)} public methods"
        for source in sources(*EVERYTHING)
        for kind in classes(source.tree)
        if len(methods := [each for each in kind.body if isinstance(each, FunctionNode) and public(each.name)])
        > MOST_PUBLIC_METHODS
        and not kind.name.startswith("Test")
    ]
    assert not offenders, listed(offenders)
