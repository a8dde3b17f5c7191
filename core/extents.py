"""How much of something there is, and how much of it is too much."""

from attrs import frozen


@frozen(kw_only=True)
class Extent:
    """About how many rows a table has, and about how many bytes they take on the disk, their indexes included."""

    rows: int = 0
    bytes: int = 0

    def surplus(self, most_bytes: int) -> int:
        """How many rows have to go so that the rest takes at most so many bytes."""
        if self.bytes <= most_bytes:
            return 0
        return -(-self.rows * (self.bytes - most_bytes) // self.bytes)
