"""What is wrong and what is doubtful about something that people want."""

from attrs import frozen

from core.errors import Invalid

MOST_TOLD = 100


@frozen
class Caution:
    """What was taken, and why it may still disappoint; or what was written differently, and why."""

    field: str
    message: str


class Findings:
    """Gathers everything before anything is refused, so that people hear of all of it at once."""

    def __init__(self) -> None:
        self._refusals: dict[str, str] = {}
        self._cautions: dict[Caution, None] = {}

    def refuse(self, field: str, message: str) -> None:
        """The field cannot stay as it is; the message begins after the name of the field."""
        if len(self._refusals) < MOST_TOLD:
            self._refusals.setdefault(field, f"{field} {message}")

    def warn(self, field: str, message: str) -> None:
        """The field may stay, but people shall know."""
        if len(self._cautions) < MOST_TOLD:
            self._cautions[Caution(field, f"{field} {message}")] = None

    def settled(self) -> tuple[Caution, ...]:
        """What people shall know. Raises Invalid that names every field that was refused."""
        if self._refusals:
            raise Invalid("; ".join(self._refusals.values()), fields=self._refusals)
        return tuple(self._cautions)
