"""What the database, the network or the disk does to us, as against what we have asked wrongly: said in words."""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import errors
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
)

from core.errors import Unavailable

TROUBLE: Final = (OperationalError, InterfaceError)
"""What SQLAlchemy raises for trouble, whatever sort it is."""
CAUGHT: Final = (*TROUBLE, InternalError, IntegrityError, NotSupportedError)
"""What `trouble_of` is to be asked about."""
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
AGAIN: Final = 1.0
LATER: Final = 5.0

# Two units were in each other's way, or one was before the other: whoever asks again finds out what is true now.
_COLLISIONS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.ForeignKeyViolation,
    errors.UniqueViolation,
)
_READ_ONLY: Final = "the database can only be read: it is a standby, or was set to be read only"
_WORDS: Mapping[type[BaseException], str] = {
    errors.ReadOnlySqlTransaction: _READ_ONLY,
    errors.DiskFull: "the disk of the database is full",
    errors.TooManyConnections: "the database has no connection left for us: DB_POOL_MAX is for each process",
    errors.QueryCanceled: "the database took too long",
    errors.AdminShutdown: "the database is being shut down",
    errors.CannotConnectNow: "the database is starting or stopping",
}


def unavailable(error: DBAPIError) -> Unavailable:
    """The refusal for trouble."""
    return trouble_of(error) or _refusal("the database cannot be used right now", error)


def broken(error: psycopg.Error) -> Unavailable:
    """The refusal for what the driver says of a connection that units share."""
    return unavailable(wrapped(error))


def wrapped(error: psycopg.Error, text: str = "") -> DBAPIError:
    """SQLAlchemy's word for an error of the driver."""
    return DBAPIError.instance(text, {}, error, psycopg.Error, dialect=_DIALECT)  # type: ignore[return-value]


def trouble_of(error: DBAPIError) -> Unavailable | None:
    """The refusal for what a unit ended with; None when it is a mistake of ours, and no trouble."""
    if isinstance(error.orig, _COLLISIONS):
        return _refusal("somebody else changed the same at this moment", error, AGAIN)
    if _is_of_standby(error.orig):
        return _refusal(_READ_ONLY, error)
    for kind, words in _WORDS.items():
        if isinstance(error.orig, kind):
            return _refusal(words, error)
    return _refusal("the database cannot be used right now", error) if isinstance(error, TROUBLE) else None


def _is_of_standby(reason: BaseException | None) -> bool:
    """What a standby says to BEGIN READ WRITE has no code of its own: others of that code are mistakes of ours."""
    return isinstance(reason, errors.FeatureNotSupported) and "read-write mode during recovery" in str(reason)


def _refusal(words: str, error: DBAPIError, retry_after: float = LATER) -> Unavailable:
    # Only the first line: PostgreSQL goes on with the values, which may be anything.
    reason = str(error.orig).partition("\n")[0]
    return Unavailable(words, retry_after=retry_after, context={"reason": reason})
