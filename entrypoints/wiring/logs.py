"""How we log: words on a terminal, JSON elsewhere; the same for the standard library's loggers."""

import logging
import sys

import structlog

from core.errors import Invalid
from core.events import CORRELATION

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logs(level: str, form: str, role: str = "") -> None:
    """Log from now on; each line says as what this process runs. Raises Invalid that names the setting."""
    if level.lower() not in LEVELS:
        raise Invalid("LOG_LEVEL must be debug, info, warning or error", field="LOG_LEVEL")
    if form not in {"", "json", "text"}:
        raise Invalid("LOG_FORMAT must be json or text", field="LOG_FORMAT")
    as_json = form == "json" or (not form and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        _named(role),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=["context"]),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    last = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time")
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.format_exc_info] if as_json else []),
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level.lower()])
    for noisy in ("aiohttp.access", "amqtt", "transitions", "asyncio", "adapters.sql.postgres_pool.CountedPool"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, LEVELS[level.lower()]))


def _named(role: str) -> structlog.typing.Processor:
    """Name the process, and the request in whose course something was logged."""

    def named(_logger: object, _method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
        request = CORRELATION.get()
        if request is not None:
            entry["request_id"] = request
        if role:
            entry["role"] = role
        return entry

    return named
