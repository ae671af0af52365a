"""Who speaks (当前发言): from the levels that audio packets carry (RFC 6464), without decoding.

Invariant: pure; somebody stays the speaker until another is clearly louder for a while, so a cough
changes no picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

SILENCE: Final = 127  # -dBov; 0 is the loudest
WINDOW_MS: Final = 400
LOUD: Final = 60  # -dBov: a voice is louder than this
MARGIN: Final = 6  # dB by which another must be louder
PATIENCE_MS: Final = 600


@dataclass(slots=True)
class _Voice:
    loudness: float = 0.0  # 0 silent .. 127
    heard_ms: int = 0
    louder_since_ms: int | None = None


@dataclass(slots=True)
class ActiveSpeaker:
    """``current`` is the id of the track that speaks, or None before anybody has."""

    current: int | None = None
    _voices: dict[int, _Voice] = field(default_factory=dict)

    def heard(self, track: int, level: int, now_ms: int) -> None:
        """One level of a track: -dBov, 0..127."""
        voice = self._voices.setdefault(track, _Voice(heard_ms=now_ms))
        share = min(1.0, max(1, now_ms - voice.heard_ms) / WINDOW_MS)
        voice.loudness += share * ((SILENCE - level) - voice.loudness)
        voice.heard_ms = now_ms

    def forget(self, track: int) -> None:
        self._voices.pop(track, None)
        if self.current == track:
            self.current = None

    def decide(self, now_ms: int) -> int | None:
        """The speaker now. Asked for several times a second."""
        for track, voice in self._voices.items():
            if now_ms - voice.heard_ms > WINDOW_MS:  # no packets: silence
                self.heard(track, SILENCE, now_ms)
        held = self._voices.get(self.current) if self.current is not None else None
        floor = max(SILENCE - LOUD, held.loudness + MARGIN if held else 0.0)
        best: tuple[float, int] | None = None
        for track, voice in self._voices.items():
            if track == self.current or voice.loudness < floor:
                voice.louder_since_ms = None
                continue
            if voice.louder_since_ms is None:
                voice.louder_since_ms = now_ms
            patience = PATIENCE_MS if held else 0
            if now_ms - voice.louder_since_ms >= patience:
                best = max(best or (0.0, -1), (voice.loudness, track))
        if best is not None:
            self.current = best[1]
            self._voices[best[1]].louder_since_ms = None
        return self.current
