"""The seven ways in which we refuse. Anything else that is raised is a bug."""

from collections.abc import Mapping


class Refusal(Exception):
    """We understood and will not. The message is for people; the context is for the log only."""

    def __init__(self, message: str, *, context: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.context = dict(context or {})


class Invalid(Refusal):
    """What was sent is wrong: `fields` says for each field why."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        fields: Mapping[str, str] | None = None,
        context: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, context=context)
        self.fields = dict(fields) if fields else {field: message} if field else {}


class Unauthenticated(Refusal):
    """We do not know who asks. The same words for every reason, so that nobody learns which it was."""


class Forbidden(Refusal):
    """We know who asks; it is not theirs to do. `needed` and `missing` name permissions, `role` what the person is."""

    def __init__(
        self,
        message: str,
        *,
        needed: tuple[str, ...] = (),
        missing: tuple[str, ...] = (),
        role: str | None = None,
        context: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, context=context)
        self.needed = needed
        self.missing = missing
        self.role = role


class NotFound(Refusal):
    """There is no such thing, or none that the one who asks may know of."""


class Conflict(Refusal):
    """It cannot be done to the thing as it is now.

    `stale` when the caller wanted it done only to the thing as they had seen it (If-Match), and it has changed.
    """

    def __init__(self, message: str, *, stale: bool = False, context: Mapping[str, object] | None = None) -> None:
        super().__init__(message, context=context)
        self.stale = stale


class QuotaExceeded(Refusal):
    """More than is allowed: of things (no `retry_after`) or of tries in a while (`retry_after` in seconds)."""

    def __init__(
        self, message: str, *, retry_after: float | None = None, context: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message, context=context)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """Not now: something we need does not answer or is full. Try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float = 5.0, context: Mapping[str, object] | None = None) -> None:
        super().__init__(message, context=context)
        self.retry_after = retry_after
