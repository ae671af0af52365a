"""When to try again (退避): first within half a second, then 1, 2, 4 ... 15 s, spread. Pure."""

from __future__ import annotations

from typing import Final

FIRST_S_MAX: Final = 0.5
DELAY_S_MAX: Final = 15.0


def retry_delay_s(failures: int, chance: float) -> float:
    """Delay before the next try after ``failures`` in a row (>= 1); ``chance`` is in [0, 1)."""
    if failures <= 1:
        return chance * FIRST_S_MAX
    whole_s = min(DELAY_S_MAX, 2.0 ** (failures - 2))
    return whole_s * (0.5 + chance / 2)
