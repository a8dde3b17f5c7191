"""What an examination finds."""

from enum import Enum

from attrs import frozen


class State(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILING = "failing"


@frozen
class Finding:
    """What was looked at, how it is, and what to do about it."""

    name: str
    state: State
    words: str
    advice: str = ""


def fine(name: str, words: str) -> Finding:
    """Nothing to do."""
    return Finding(name, State.OK, words)


def warning(name: str, words: str, advice: str) -> Finding:
    """It works, but not for long or not well."""
    return Finding(name, State.WARNING, words, advice)


def failing(name: str, words: str, advice: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(name, State.FAILING, words, advice)
