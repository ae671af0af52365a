"""Asking publishers for keyframes (关键帧): for many viewers at once, and not too often.

Invariant: pure; between two requests to one source lie at least `INTERVAL_MS`, and a need that is
not met is asked for again, ever more slowly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INTERVAL_MS: Final = 500
INTERVAL_MS_MAX: Final = 4_000


@dataclass(slots=True)
class KeyframeNeed:
    """Of one source. `need` as often as anybody likes; send a PLI when `due` says so."""

    needed: bool = False
    _asked_ms: int = -INTERVAL_MS_MAX
    _interval_ms: int = INTERVAL_MS

    def need(self) -> None:
        self.needed = True

    def met(self) -> None:
        """A keyframe has started."""
        self.needed = False
        self._interval_ms = INTERVAL_MS

    def due(self, now_ms: int) -> bool:
        """True once for each request that is to be sent now."""
        if not self.needed or now_ms - self._asked_ms < self._interval_ms:
            return False
        if now_ms - self._asked_ms < 2 * self._interval_ms:
            self._interval_ms = min(2 * self._interval_ms, INTERVAL_MS_MAX)
        self._asked_ms = now_ms
        return True
