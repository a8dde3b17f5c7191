"""Long lists, a page at a time."""

from typing import Generic, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen(kw_only=True)
class Page(Generic[T]):
    """Some of the things asked for. `next` continues after the last one; None when there are no more."""

    items: tuple[T, ...]
    total: int | None = None
    next: str | None = None
