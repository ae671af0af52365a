"""The newest events of one channel, encoded, ready to be sent again (环形缓冲).

Invariant: the ring holds a dense run of seqs ``first .. last``; older events are the journal's.
Bounded by count and by bytes. Pure.
"""

from __future__ import annotations


class Ring:
    """Encoded ``ev`` payloads by seq."""

    __slots__ = ("_bytes_max", "_count_max", "_payloads", "first", "size_bytes")

    def __init__(self, next_seq: int, count_max: int, bytes_max: int) -> None:
        self._payloads: dict[int, bytes] = {}
        self._count_max = count_max
        self._bytes_max = bytes_max
        self.first = next_seq
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._payloads)

    def append(self, seq: int, payload: bytes) -> None:
        """Add the event after the last one; the newest event is always kept."""
        assert seq == self.first + len(self._payloads), "a ring has no holes"
        self._payloads[seq] = payload
        self.size_bytes += len(payload)
        while len(self._payloads) > 1 and (
            len(self._payloads) > self._count_max or self.size_bytes > self._bytes_max
        ):
            self.size_bytes -= len(self._payloads.pop(self.first))
            self.first += 1

    def restart(self, next_seq: int) -> None:
        """Forget everything; the next event will be ``next_seq``."""
        self._payloads.clear()
        self.first = next_seq
        self.size_bytes = 0

    def after(self, seq: int, count_max: int, bytes_max: int) -> list[bytes]:
        """Payloads from ``seq + 1`` on, at least one if there is one, within the two bounds."""
        assert seq + 1 >= self.first
        taken: list[bytes] = []
        size = 0
        at = seq + 1
        while len(taken) < count_max and (payload := self._payloads.get(at)) is not None:
            size += len(payload)
            if taken and size > bytes_max:
                break
            taken.append(payload)
            at += 1
        return taken
