"""Every hook is a question that is asked, answered by ourselves, answered by the example, and tried by a test."""

import ast
import inspect
import re

import pluggy
import pytest

from core import hookspecs as core_hookspecs
from entrypoints.cli import commands
from entrypoints.cli import hookspecs as cli_hookspecs
from entrypoints.http import hookspecs as http_hookspecs
from entrypoints.wiring import features
from entrypoints.wiring.plugins import plugin_manager
from tests.architecture.source import RINGS, functions, sources

MANAGER = plugin_manager([features, commands], installed=False)
EXAMPLE = "contrib/example_plugin/iotistic_notes"


def _hooks() -> dict[str, pluggy.HookCaller]:
    callers = {name: getattr(MANAGER.hook, name) for name in vars(MANAGER.hook)}
    return {name: caller for name, caller in callers.items() if isinstance(caller, pluggy.HookCaller) and caller.spec}


HOOKS = _hooks()
each_hook = pytest.mark.parametrize("name", sorted(HOOKS))


def test_each_ring_asks_its_own_questions() -> None:
    specs = (core_hookspecs, http_hookspecs, cli_hookspecs)
    asked = {name for module in specs for name in vars(module) if hasattr(getattr(module, name), "iotistic_spec")}
    assert asked == set(HOOKS)


@each_hook
def test_a_hook_asks_a_question(name: str) -> None:
    spec = HOOKS[name].spec
    assert spec is not None
    first, _, more = (inspect.getdoc(spec.function) or "").partition("\n\n")
    assert first.endswith("?"), "the first line of the docstring is the question"
    assert more, "then comes the manual: when it is asked, and what each answer means"


@each_hook
def test_a_hook_is_answered_by_our_own_parts(name: str) -> None:
    assert HOOKS[name].get_hookimpls(), "nobody of us answers; then we would not feel it if it broke"


@each_hook
def test_a_hook_is_answered_by_the_example_plugin(name: str) -> None:
    answered = {
        function.name
        for source in sources(EXAMPLE)
        for function in functions(source.tree)
        if "hookimpl" in [ast.unparse(decorator) for decorator in function.decorator_list]
    }
    assert name in answered


@each_hook
def test_a_hook_has_a_test_that_names_it(name: str) -> None:
    named = re.compile(rf"^test_the_{name}_hook_\w+$")
    tests = [function.name for source in sources("tests") for function in functions(source.tree)]
    assert any(named.match(test) for test in tests), f"write a test called test_the_{name}_hook_…"


@each_hook
def test_a_hook_is_asked_somewhere(name: str) -> None:
    asked = re.compile(rf"\.hook\.{name}\b")
    assert any(asked.search(source.text) for source in sources(*RINGS)), "nobody asks"
