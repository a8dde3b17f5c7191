"""Room on the disk and in the database."""

from attrs import frozen

AUTOMATIC_RESERVE = 100 * 1024**2
AUTOMATIC_SHARE = 20
WRITTEN_AHEAD = 10


@frozen(kw_only=True)
class Space:
    """Room in bytes: on the disk, within a limit on the database if it has one, and in it where rows were dropped."""

    disk_free: int
    disk_total: int
    limit_left: int | None = None
    limit: int | None = None
    reusable: int = 0

    def reserve(self, wanted: int | None) -> int:
        """What has to stay free: as wanted, else 100 MB, or a twentieth of what is smaller than 2 GB."""
        if wanted is not None:
            return wanted
        whole = self.disk_total if self.limit is None else min(self.disk_total, self.limit)
        return min(AUTOMATIC_RESERVE, whole // AUTOMATIC_SHARE)

    def is_short(self, wanted: int | None) -> bool:
        """Whether less than the reserve is left.

        What was dropped inside the database is room as well, but the disk itself needs some for the changes that are
        written ahead.
        """
        reserve = self.reserve(wanted)
        left = self.disk_free if self.limit_left is None else min(self.disk_free, self.limit_left)
        return left + self.reusable < reserve or self.disk_free < reserve // WRITTEN_AHEAD
