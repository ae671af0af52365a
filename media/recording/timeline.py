"""One timeline (时间轴) for a playable file and the journal's events.

Events are dated by the server's UTC, which may be set; pictures lie on a clock that only goes on.
Each piece is a stretch in which both went alike. Pure. Invariant: pieces lie in the order of their
positions and do not overlap there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from media.recording.errors import RecordingRefused

STEP_MS: Final = 20  # UTC that is off by more than this was set
PIECES_MAX: Final = 10_000
TIME_MAX: Final = (1 << 53) - 1  # what JSON's readers hold exactly


@dataclass(frozen=True, slots=True)
class Piece:
    """``utc_ms`` at ``position_ms`` of the file, and so on for ``length_ms``."""

    utc_ms: int
    position_ms: int
    length_ms: int


@dataclass(frozen=True, slots=True)
class Timeline:
    pieces: tuple[Piece, ...]

    def position_ms(self, utc_ms: int) -> int | None:
        """Where in the file that moment is; None if it was not recorded.

        A moment that the clock was set over lies at the next piece. If the clock was set back a
        moment came twice: the first counts.
        """
        for piece in self.pieces:
            if 0 <= utc_ms - piece.utc_ms <= piece.length_ms:
                return piece.position_ms + utc_ms - piece.utc_ms
        if not any(piece.utc_ms < utc_ms for piece in self.pieces):
            return None
        return min((p.position_ms for p in self.pieces if p.utc_ms > utc_ms), default=None)

    def utc_ms(self, position_ms: int) -> int | None:
        """What the server's clock said at a position; None outside of the file."""
        before = [piece for piece in self.pieces if piece.position_ms <= position_ms]
        if not before or position_ms > self.pieces[-1].position_ms + self.pieces[-1].length_ms:
            return None
        return before[-1].utc_ms + position_ms - before[-1].position_ms

    def value(self) -> list[list[int]]:
        """For JSON: [utc_ms, position_ms, length_ms] by piece."""
        return [[piece.utc_ms, piece.position_ms, piece.length_ms] for piece in self.pieces]

    @classmethod
    def parse(cls, value: Any) -> "Timeline":
        """The inverse. Raises RecordingRefused ``timeline.form``."""
        if not isinstance(value, list) or len(value) > PIECES_MAX:
            raise RecordingRefused("timeline.form")
        pieces: list[Piece] = []
        end = 0
        for one in value:
            if not isinstance(one, list) or len(one) != 3:
                raise RecordingRefused("timeline.form")
            if not all(type(part) is int and 0 <= part <= TIME_MAX for part in one):
                raise RecordingRefused("timeline.form")
            piece = Piece(*one)
            if piece.position_ms < end:
                raise RecordingRefused("timeline.form")
            end = piece.position_ms + piece.length_ms
            pieces.append(piece)
        return cls(tuple(pieces))


def make_timeline(moments: Iterable[tuple[int, int]], start_ns: int, end_ns: int) -> Timeline:
    """From (recorder's ns, UTC ms) of records in order of the first; the file is start to end."""
    pieces: list[list[int]] = []  # utc, position, end position
    for at_ns, utc_ms in moments:
        if not start_ns <= at_ns <= end_ns:
            continue
        position = (at_ns - start_ns) // 1_000_000
        if pieces:
            first_utc, first_position, _ = pieces[-1]
            is_set = abs((utc_ms - first_utc) - (position - first_position)) > STEP_MS
            if is_set and len(pieces) < PIECES_MAX:
                pieces[-1][2] = max(pieces[-1][1], min(pieces[-1][2], position))
                pieces.append([utc_ms, position, position])
            pieces[-1][2] = max(pieces[-1][2], position)
        else:
            pieces.append([utc_ms - position, 0, position])
    if pieces:
        pieces[-1][2] = max(pieces[-1][2], (end_ns - start_ns) // 1_000_000)
    return Timeline(tuple(Piece(utc, position, end - position) for utc, position, end in pieces))
