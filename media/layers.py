"""Which simulcast layer (分层) a viewer gets: by the size of its tile, and by what its path loses.

Invariant: pure. A lossy path lowers the ceiling by one layer at once and lets it rise again after
a while; a rise that is followed by loss doubles that while. So a capped path is tried ever more
seldom, and a short disturbance costs seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Of 256, smoothed over four reports. Retransmission makes good what is lost below the lower one.
LOSS_HIGH: Final = 26  # about 10 %
LOSS_LOW: Final = 18  # about 7 %
RISE_MS: Final = 6_000
RISE_MS_MAX: Final = 96_000
TRIAL_MS: Final = 8_000  # loss so soon after a rise was caused by it


def layer_for_tile(heights: tuple[int, ...], tile_px: int) -> int:
    """The smallest layer that fills a tile of ``tile_px`` pixels' height; else the largest.

    ``heights`` are the layers' heights in pixels, rising. A tile may be a third larger than its
    picture before the next layer is worth its bytes. 0 px: not shown, the smallest layer.
    """
    for layer, height in enumerate(heights):
        if height * 4 >= tile_px * 3:
            return layer
    return max(0, len(heights) - 1)


@dataclass(slots=True)
class LayerChoice:
    """One viewer of one track. ``ceiling`` is the highest layer its path seems to carry."""

    layers: int
    wanted: int = 0
    ceiling: int = 0
    _loss: int = 0  # of 1024, smoothed
    _rise_ms: int = RISE_MS
    _changed_ms: int = 0
    _rose_ms: int = -TRIAL_MS

    def __post_init__(self) -> None:
        self.wanted = self.ceiling = max(0, self.layers - 1)

    @property
    def layer(self) -> int:
        return min(self.wanted, self.ceiling)

    def heard(self, fraction_lost: int, now_ms: int) -> None:
        """A receiver report of the viewer: ``fraction_lost`` of 256."""
        self._loss += fraction_lost - self._loss // 4
        lost = self._loss // 4
        if lost > LOSS_HIGH:
            self._lower(now_ms)
        elif lost > LOSS_LOW:
            # Not good enough to rise on: the while begins anew.
            self._changed_ms = max(self._changed_ms, now_ms - self._rise_ms // 2)
        elif self.ceiling < self.layers - 1 and now_ms - self._changed_ms >= self._rise_ms:
            self.ceiling += 1
            self._changed_ms = self._rose_ms = now_ms

    def _lower(self, now_ms: int) -> None:
        if self.layer == 0:
            self._changed_ms = now_ms
            return
        if now_ms - self._rose_ms < TRIAL_MS:
            self._rise_ms = min(2 * self._rise_ms, RISE_MS_MAX)
        elif now_ms - self._changed_ms > RISE_MS_MAX:
            self._rise_ms = RISE_MS
        self.ceiling = self.layer - 1
        self._changed_ms = now_ms
        self._loss = 0  # what was lost of the larger layer says nothing of the smaller one
