"""Secrets in reports: agents send the whole environment of every container (contract §2.7)."""

import re
from typing import Any

REDACTED = "[redacted]"

# PWD alone is the working directory of a shell, no secret.
_SECRET_VARIABLE = re.compile(r"(?i)PASS|SECRET|TOKEN|KEY|CREDENTIAL|_PWD$|(?:^|_)AUTH(?:_|$)|_DSN$")
_SECRET_FIELD = re.compile(r"(?i)passw(?:or)?d|passphrase|secret|token|credential|private_?key|api_?key")
# Bounded repetitions: what a device sends must not make the search slow.
_USERINFO = re.compile(r"(://[^\s:/@]{0,256}):[^\s/@]{1,1024}@")
_FIELD_IN_TEXT = re.compile(
    r'(?i)("[a-z_]{0,32}(?:password|passphrase|secret|token|credential|key)[a-z_]{0,32}"\s{0,8}:\s{0,8}")[^"]{1,4096}(?=")'
)


def redacted(value: Any) -> Any:
    """The same value without what looks like a secret: environments, passwords, credentials in URLs."""
    if isinstance(value, dict):
        return {name: _field(name, below) for name, below in value.items()}
    if isinstance(value, list):
        return [redacted(below) for below in value]
    return _text(value) if isinstance(value, str) else value


def _field(name: str, value: Any) -> Any:
    if name == "environment":
        return _environment(value)
    if name == "connectionString" and isinstance(value, str):
        return _FIELD_IN_TEXT.sub(lambda found: found[1] + REDACTED, _text(value))
    if isinstance(value, str) and value and _SECRET_FIELD.search(name):
        return REDACTED
    return redacted(value)


def _environment(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _variable(name, below) for name, below in value.items()}
    if isinstance(value, list):
        return [_assignment(below) for below in value]
    return redacted(value)


def _variable(name: str, value: Any) -> Any:
    return REDACTED if _SECRET_VARIABLE.search(name) else redacted(value)


def _assignment(value: Any) -> Any:
    if isinstance(value, str) and "=" in value:
        name, _, rest = value.partition("=")
        return f"{name}={_variable(name, rest)}"
    return redacted(value)


def _text(value: str) -> str:
    return _USERINFO.sub(rf"\1:{REDACTED}@", value) if "://" in value else value
