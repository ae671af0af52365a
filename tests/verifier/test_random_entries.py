"""Entries with random lawful-looking members: always a report, never an exception (fuzzing)."""

import random
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import encode
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import judged
from tests.verifier.opening_variants import LyingTrustee, Paused, TrusteesLost
from tests.verifier.tender_maker import NONCE_1, NONCE_2

ROUNDS = 6


class Shaken(Opening):
    """Some members of some entries are exchanged for others of the same kind."""

    drawn = random.Random(0)
    rate = 0.05

    def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
        if self.drawn.random() < self.rate:
            name = self.drawn.choice(sorted(members))
            members[name] = self.other(members[name])
            common: dict[str, Any] = {"server_ms": self.now_ms}
            if entry_type not in (1, 30):
                common["tender_id"] = self.manifest.tender_id.hex()
            self.log.tick_until(self.now_ms - 1)
            self.log.add_raw(bytes(16) + bytes([entry_type]) + encode(common | members))
            return None
        return super().entry(entry_type, public=public, **members)

    def other(self, value: Any) -> Any:
        drawn = self.drawn
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return drawn.choice((0, 1, 2, 3, 9, value + 1, max(0, value - 1), 2**53 - 1))
        if isinstance(value, str) and len(value) == 64:
            hashes = [name[-68:-4] for name in self.files if len(name) > 68]
            return drawn.choice([NONCE_1, NONCE_2, "00" * 32, *hashes])
        if isinstance(value, str):
            return drawn.choice(("key", "card", "second", "share", "pause", "opening:x", "x"))
        return drawn.choice((None, 0, value))


@pytest.mark.parametrize("base", [Opening, LyingTrustee, Paused, TrusteesLost])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_entries_give_a_report(base: type[Opening], seed: int, tmp_path: Path) -> None:
    mixed = type("Mixed", (Shaken, base), {})
    opening = mixed()
    opening.drawn = random.Random(seed)
    assert judged(opening.run().members(), tmp_path).verdict in ("agree", "mismatch")
