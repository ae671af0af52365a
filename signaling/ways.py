"""Where a viewer connects next (去处): one edge after the other, the rooms' own process at last.

Pure; the page does the same (`web_client/src/net/ways.ts`). Invariant: whoever lost a line tries
every edge, the lost one last, before it troubles the process that serves participants.
"""

from __future__ import annotations

from collections.abc import Sequence


class Ways:
    """``first``: which edge to begin with, drawn by the caller so that a crowd spreads."""

    def __init__(self, owner: str, edges: Sequence[str], first: int) -> None:
        self._owner = owner
        self._edges = tuple(edges)
        self._last = self._base = first % len(edges) if edges else 0

    def next(self, failures: int) -> str:
        """``failures``: 0 for the first try, 1 when a line was lost, then one more each time."""
        count = len(self._edges)
        if failures <= 1:
            self._base = self._last
        turn = (failures - 1) % (count + 1)
        if not count or (failures and turn == count):
            return self._owner
        self._last = (self._base + 1 + turn) % count if failures else self._base
        return self._edges[self._last]
