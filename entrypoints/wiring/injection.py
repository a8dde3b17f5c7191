"""dependency-injector, without what it would bring along.

It imports pydantic, werkzeug and more for features that we do not use, wherever it finds them installed: 14 MB and a
third of a second at every start. While it is imported they are made to look absent.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

_UNUSED = frozenset({"pydantic", "pydantic_settings", "werkzeug", "fastapi", "starlette", "flask", "yaml"})


class _Absent(MetaPathFinder):
    """Finds nothing, and lets nobody else look, for the packages that are not wanted."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Say that there is no such module (importlib's protocol)."""
        if fullname.partition(".")[0] in _UNUSED:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)


@contextmanager
def _without_the_unused() -> Iterator[None]:
    finder = _Absent()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _without_the_unused():
    from dependency_injector.containers import DeclarativeContainer
    from dependency_injector.providers import Callable, DependenciesContainer, Dependency, Object, Singleton

__all__ = ["Callable", "DeclarativeContainer", "DependenciesContainer", "Dependency", "Object", "Singleton"]
