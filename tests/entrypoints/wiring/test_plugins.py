"""Who answers our questions, and in what order."""

from types import ModuleType

import pluggy
import pytest

from core.errors import Invalid, Unavailable
from core.hookspecs import hookimpl
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager


def _module(name: str, **functions: object) -> ModuleType:
    module = ModuleType(name)
    for word, function in functions.items():
        setattr(module, word, function)
    return module


def _answering(*values: object) -> object:
    @hookimpl
    def pings(services: object) -> list[object]:
        return list(values)

    return pings


def _ask(manager: pluggy.PluginManager) -> list[object]:
    return answers(manager.hook.pings, services=None)


def test_ours_answer_before_others() -> None:
    manager = plugin_manager([_module("ours", pings=_answering("first"))], installed=False)
    manager.register(_module("others", pings=_answering("second", "third")))
    assert _ask(manager) == ["first", "second", "third"]


def test_nobody_has_to_answer() -> None:
    assert _ask(plugin_manager([], installed=False)) == []


def test_an_answer_may_come_bit_by_bit() -> None:
    @hookimpl
    def pings(services: object) -> object:
        yield "one"
        yield "two"

    assert _ask(plugin_manager([_module("slow", pings=pings)], installed=False)) == ["one", "two"]


def test_who_raises_is_named_with_the_question_and_the_reason() -> None:
    @hookimpl
    def pings(services: object) -> list[object]:
        raise LookupError("no such thing")

    manager = plugin_manager([_module("good", pings=_answering()), _module("bad", pings=pings)], installed=False)
    with pytest.raises(Unavailable, match="the plugin bad cannot answer pings: LookupError: no such thing"):
        _ask(manager)


def test_who_answers_with_what_is_no_list_stops_the_start() -> None:
    @hookimpl
    def pings(services: object) -> int:
        return 7

    with pytest.raises(Unavailable, match="cannot answer pings"):
        _ask(plugin_manager([_module("odd", pings=pings)], installed=False))


def test_a_refusal_keeps_its_words() -> None:
    @hookimpl
    def pings(services: object) -> list[object]:
        raise Invalid("SIZE must be small", field="SIZE")

    with pytest.raises(Invalid, match="SIZE must be small"):
        _ask(plugin_manager([_module("strict", pings=pings)], installed=False))


def test_a_question_nobody_asks_is_named() -> None:
    @hookimpl
    def opinions() -> list[object]:
        return []

    with pytest.raises(Unavailable, match=r"(?s)the plugin chatty .*opinions"):
        plugin_manager([_module("chatty", opinions=opinions)], installed=False)


def test_our_own_parts_answer_under_their_name() -> None:
    manager = plugin_manager([features], installed=False)
    assert [name for name, _ in manager.list_name_plugin()] == ["features"]
