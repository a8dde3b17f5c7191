"""The catalogue of applications, and the numbers of apps and services."""

from core.applications.events import ApplicationAdded, ApplicationChanged, ApplicationRemoved
from core.applications.model import Application, ApplicationChange, IdKind, IssuedId, NewApplication
from core.applications.ports import ApplicationStore, IssuedIdStore
from core.applications.service import Applications

__all__ = [
    "Application",
    "ApplicationAdded",
    "ApplicationChange",
    "ApplicationChanged",
    "ApplicationRemoved",
    "ApplicationStore",
    "Applications",
    "IdKind",
    "IssuedId",
    "IssuedIdStore",
    "NewApplication",
]
