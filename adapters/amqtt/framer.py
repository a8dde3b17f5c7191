"""Cuts a stream of bytes into MQTT packets."""

from collections.abc import Iterator

_CONTINUED = 0x80
_LONGEST_LENGTH = 4


class Malformed(Exception):
    """What came is not MQTT 3.1.1, or more than we take. The connection is closed, as §4.8 demands."""


class Framer:
    """Takes chunks, gives packets as (kind, flags, body).

    A packet that is too long is refused by its header, before room is made for it.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Add what was received. Take all packets before the next chunk."""
        self._buffer += chunk

    @property
    def next_byte(self) -> int | None:
        """The first byte of the next packet, as soon as it has come."""
        return self._buffer[0] if self._buffer else None

    def packets(self) -> Iterator[tuple[int, int, bytes]]:
        """The packets that are complete. Raises Malformed where the next one cannot become a packet."""
        buffer, start = self._buffer, 0
        try:
            while (header := self._header(start)) is not None:
                body, end = header
                if end > len(buffer):
                    break
                first, begin, start = buffer[start], body, end
                yield first >> 4, first & 0x0F, bytes(buffer[begin:end])
        finally:
            del buffer[:start]

    def _header(self, start: int) -> tuple[int, int] | None:
        """Where the body of the packet at `start` begins and ends; None while its header is incomplete."""
        buffer = self._buffer
        length = 0
        for place in range(_LONGEST_LENGTH):
            position = start + 1 + place
            if position >= len(buffer):
                return None
            length |= (buffer[position] & ~_CONTINUED) << (7 * place)
            if length > self.largest:
                raise Malformed("the packet is too large")
            if not buffer[position] & _CONTINUED:
                return position + 1, position + 1 + length
        raise Malformed("the remaining length is malformed")
