"""What happens to the catalogue."""

from typing import ClassVar

from attrs import frozen

from core.events import Event


@frozen(kw_only=True)
class ApplicationAdded(Event):
    """An application was put into the catalogue."""

    NAME: ClassVar[str] = "application.added"
    app_id: int
    name: str


@frozen(kw_only=True)
class ApplicationChanged(Event):
    """An application of the catalogue was changed; `changes` names the fields."""

    NAME: ClassVar[str] = "application.changed"
    app_id: int
    changes: tuple[str, ...]


@frozen(kw_only=True)
class ApplicationRemoved(Event):
    """An application was taken out of the catalogue."""

    NAME: ClassVar[str] = "application.removed"
    SEVERITY: ClassVar[str] = "warning"
    app_id: int
    name: str
