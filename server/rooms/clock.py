"""The hall's clock: UTC milliseconds that never go back."""

import time


class Clock:
    """Wall time, held still rather than turned back when the machine's clock is stepped."""

    def __init__(self, not_before_ms: int = 0) -> None:
        """``not_before_ms``: the newest moment that the log already holds."""
        self._last_ms = not_before_ms

    def now_ms(self) -> int:
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms
