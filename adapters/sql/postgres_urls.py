"""How PostgreSQL is found: one URL for SQLAlchemy, and the same in the words of its own library."""

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import Invalid

DRIVER = "postgresql+psycopg"


def url_of(text: str) -> URL:
    """The URL `postgresql://user:password@host/name` with the driver that we use. Raises Invalid if it is none."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise Invalid("the URL of the database cannot be read") from error
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise Invalid(f"{url.get_backend_name()} is not a database that can be used here; PostgreSQL is")
    return url.set(drivername=DRIVER)


def conninfo_of(text: str, **more: str | int) -> str:
    """The same for a connection beside the pool, with further parameters of libpq. Raises Invalid."""
    url = url_of(text)
    given = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        **{name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()},
        **more,
    }
    return make_conninfo("", **{name: value for name, value in given.items() if value is not None})
