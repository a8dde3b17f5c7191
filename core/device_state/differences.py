"""What two documents differ in, path by path."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

MOST_DIFFERENCES = 5000
# What tells the things of a list apart, the surest first.
_KEYS = ("serviceId", "id", "name")

Step = str | int


@frozen(kw_only=True)
class Difference:
    """At `path` there was `before` and is `after`. `kind` is added, removed or changed: null is a value too.

    `found` are the steps to it in the first and in the second document; where it is not, they lead to where it was.
    """

    path: str
    kind: str
    before: Any = None
    after: Any = None
    found: tuple[tuple[Step, ...], tuple[Step, ...]] = ((), ())


def differences(before: Any, after: Any) -> list[Difference]:
    """Everything that must be done to make `after` of `before`, in the order of the paths; empty if they are equal.

    Things in lists that have ids (services, sensors) are compared with the one of the same id, wherever it stands,
    unless the order of the two has changed: then the list is told as one.
    """
    return [each for each, _ in zip(_between(before, after, "", (), ()), range(MOST_DIFFERENCES), strict=False)]


def shown(found: Sequence[Difference], before: Any, after: Any) -> list[Difference]:
    """The same differences, with the values of other spellings of the two documents: those without secrets."""
    return [
        evolve(
            each,
            before=None if each.kind == "added" else _at(before, each.found[0]),
            after=None if each.kind == "removed" else _at(after, each.found[1]),
        )
        for each in found
    ]


def _between(before: Any, after: Any, path: str, old: tuple[Step, ...], new: tuple[Step, ...]) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            below = f"{path}.{key}" if path else str(key)
            yield from _child(before, after, below, (*old, key), (*new, key))
    elif isinstance(before, Sequence) and isinstance(after, Sequence) and not isinstance(before, str):
        yield from _of_lists(before, after, path, old, new)
    elif not _same(before, after):
        yield Difference(path=path, kind="changed", before=before, after=after, found=(old, new))


def _child(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, old: tuple[Step, ...], new: tuple[Step, ...]
) -> Iterator[Difference]:
    key = old[-1]
    if key not in after:
        yield Difference(path=path, kind="removed", before=before[str(key)], found=(old, new))
    elif key not in before:
        yield Difference(path=path, kind="added", after=after[str(key)], found=(old, new))
    else:
        yield from _between(before[str(key)], after[str(key)], path, old, new)


def _of_lists(
    before: Sequence[Any], after: Any, path: str, old: tuple[Step, ...], new: tuple[Step, ...]
) -> Iterator[Difference]:
    if isinstance(after, str):
        yield Difference(path=path, kind="changed", before=before, after=after, found=(old, new))
        return
    key = next((each for each in _KEYS if _tells_apart(before, each) and _tells_apart(after, each)), None)
    first = {_identity(item, key, number): number for number, item in enumerate(before)}
    second = {_identity(item, key, number): number for number, item in enumerate(after)}
    if [name for name in first if name in second] != [name for name in second if name in first]:
        yield Difference(path=path, kind="changed", before=before, after=after, found=(old, new))
        return
    for name in [*first, *(name for name in second if name not in first)]:
        below = f"{path}[{name}]"
        if name not in second:
            steps = (*old, first[name]), new
            yield Difference(path=below, kind="removed", before=before[first[name]], found=steps)
        elif name not in first:
            steps = old, (*new, second[name])
            yield Difference(path=below, kind="added", after=after[second[name]], found=steps)
        else:
            one, other = first[name], second[name]
            yield from _between(before[one], after[other], below, (*old, one), (*new, other))


def _identity(item: Any, key: str | None, number: int) -> str:
    return f"{key}={item[key]}" if key else str(number)


def _tells_apart(items: Sequence[Any], key: str) -> bool:
    """Whether all have the key, and no two the same."""
    if not all(isinstance(item, Mapping) and isinstance(item.get(key), (str, int)) for item in items):
        return False
    return len({str(item[key]) for item in items}) == len(items)


def _same(before: Any, after: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _at(document: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        document = document[step]
    return document
