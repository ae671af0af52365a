"""KDRAW1 (抽签): from committed parts and a beacon to a result that anybody can derive again.

Invariant: pure arithmetic over bytes. One draw manifest gives one seed; a label gives one stream of
64-bit blocks, and every block tried is consumed, whether refused or not. The first k of a longer
draw are the shorter draw: that is the rule for a drawn expert who declines.
Norm: sealing.md C12 and §6.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import Rejected
from crypto.hashes import label_bytes, sha256

PARTS_MAX = 65_536
CANDIDATES_MAX = 65_536

_SEED = label_bytes("KDRAW1 seed")
_STREAM = label_bytes("KDRAW1 stream")
_LABEL = re.compile(r"[a-z0-9.-]{1,64}")
_BLOCKS = 1 << 64


@dataclass(frozen=True, slots=True)
class Step:
    """One choice, for the record: below(``n``) gave ``value``, its last block was number ``i``."""

    i: int
    n: int
    value: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The chosen candidates in the order drawn, and how they came about."""

    chosen: tuple[str, ...]
    steps: tuple[Step, ...]


def draw_seed(manifest_hash: bytes, parts: Sequence[bytes], beacon: bytes) -> bytes:
    """32 bytes. ``manifest_hash``: SHA-256 of the draw manifest's JCS; ``parts`` sorted by bid_id;
    ``beacon``: its bytes, empty for none.
    """
    assert len(manifest_hash) == 32
    if len(parts) > PARTS_MAX:
        raise Rejected("draw.parts", str(len(parts)))
    count = len(parts).to_bytes(4, "big")
    return sha256(_SEED, manifest_hash, count, *(sha256(part) for part in parts), sha256(beacon))


class Stream:
    """The blocks of one label under one seed."""

    def __init__(self, seed: bytes, label: str) -> None:
        """Code: ``draw.label``."""
        assert len(seed) == 32
        if _LABEL.fullmatch(label) is None:
            raise Rejected("draw.label", label[:64])
        self._key = sha256(_STREAM, seed, label.encode("ascii"))
        self._next = 0
        self.steps: list[Step] = []

    def below(self, n: int) -> int:
        """A uniform integer in 0..n-1; below(1) consumes a block too. Code: ``draw.range``."""
        if not 1 <= n <= _BLOCKS:
            raise Rejected("draw.range", str(n))
        limit = _BLOCKS // n * n  # blocks from here on would favour the small results
        while True:
            block = sha256(self._key, self._next.to_bytes(8, "big"))
            i, self._next = self._next, self._next + 1
            x = int.from_bytes(block[:8], "big")
            if x < limit:
                self.steps.append(Step(i, n, x % n))
                return x % n


def draw(seed: bytes, label: str, candidates: Sequence[str], k: int) -> Drawn:
    """``k`` of the candidates, without putting back: partial Fisher-Yates over them sorted.

    Candidates are opaque ASCII ids, distinct. Codes: ``draw.label``, ``draw.candidates``,
    ``draw.range`` (k is not 0..number of candidates).
    """
    if len(candidates) > CANDIDATES_MAX or len(set(candidates)) != len(candidates):
        raise Rejected("draw.candidates")
    if not all(candidate and candidate.isascii() for candidate in candidates):
        raise Rejected("draw.candidates", "not ASCII")
    if not 0 <= k <= len(candidates):
        raise Rejected("draw.range", str(k))
    stream = Stream(seed, label)
    order = sorted(candidates)
    for at in range(k):
        other = at + stream.below(len(order) - at)
        order[at], order[other] = order[other], order[at]
    return Drawn(tuple(order[:k]), tuple(stream.steps))
