"""How far every public channel has come (频道位置), told to edges by what changed since they asked.

Pure. Invariant: whoever asks again with the version it was given misses no change; a version of
another boot is worth nothing, and is answered with everything.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Heads:
    """``boot`` names this process; a room's entry is (version of its last change, last seq)."""

    boot: str
    version: int = 0
    _rooms: dict[str, tuple[int, int]] = field(default_factory=dict)  # newest change last

    def moved(self, room: str, seq: int) -> None:
        """The room's channel holds ``seq`` events, durably."""
        _, before = self._rooms.pop(room, (0, 0))
        self.version += 1
        self._rooms[room] = self.version, max(seq, before)

    def since(self, boot: str, version: int) -> dict[str, int]:
        """Rooms that changed after ``version`` of ``boot``, with their last seq."""
        if boot != self.boot:
            version = 0
        changed: dict[str, int] = {}
        for room, (when, seq) in reversed(self._rooms.items()):
            if when <= version:
                break
            changed[room] = seq
        return changed
