"""What is logged of bytes that are not HTTP: that they came, never what they were."""

import logging

from aiohttp.http_exceptions import HttpProcessingError

# The one that aiohttp tells of its connections.
log = logging.getLogger("aiohttp.server")


class _Unquoted(logging.Filter):
    """Bytes from strangers are no bug of ours, and may hold a password: no traceback that quotes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Make little of the record if it tells of such bytes. Whether it is logged at all."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        record.msg, record.args = "refused with %d what is not HTTP (%s)", (error.code, type(error).__name__)
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.INFO, "INFO"
        return log.isEnabledFor(logging.INFO)


log.addFilter(_Unquoted())
