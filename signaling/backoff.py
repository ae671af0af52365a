"""When to try again (退避): within half a second, then 1, 2, 2 ... and after a while up to 15 s.

Pure. Whoever is away for a short time stays near: a server that is started again has everybody back
within two seconds (docs/decisions/0007). The accept limiter spreads a crowd, not this.
"""

from __future__ import annotations

from typing import Final

FIRST_S_MAX: Final = 0.5
NEAR_S: Final = 2.0
NEAR_TRIES: Final = 12  # about a quarter of a minute
DELAY_S_MAX: Final = 15.0


def retry_delay_s(failures: int, chance: float) -> float:
    """Delay before the next try after ``failures`` in a row (>= 1); ``chance`` is in [0, 1)."""
    if failures <= 1:
        return chance * FIRST_S_MAX
    if failures <= NEAR_TRIES:
        whole_s = min(NEAR_S, 2.0 ** (failures - 2))
    else:
        whole_s = min(DELAY_S_MAX, NEAR_S * 2.0 ** min(failures - NEAR_TRIES, 3))
    return whole_s * (0.5 + chance / 2)
