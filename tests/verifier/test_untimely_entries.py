"""Entries too early, too late or out of their order."""

from pathlib import Path
from typing import Any

from crypto.hashes import sha256
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.judging import assert_named, judged
from tests.verifier.opening_variants import Paused
from tests.verifier.tender_maker import (
    NONCE_1,
    START_MS,
)


def test_an_unlock_decided_long_after_the_end_is_named(tmp_path: Path) -> None:
    class Slow(Opening):
        def end(self, w: int = 1, second: float = 35.2) -> None:
            bidder = self.bidders[0]
            facts = {"nonce": self.nonces[1].hex(), "by": "key", "result": 0}
            self.at(45.2)
            raw = self.unlock_message(bidder)
            self.message_entry(10, "unlock", raw, **facts, received_ms=START_MS + 35_000)
            super().end(w, 46.2)

        def unlock(self, bidder: Bidder) -> None:
            if bidder.number != 1:
                super().unlock(bidder)

        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 12:
                members["end_ms"] = START_MS + 35_100
            return super().entry(entry_type, public=public, **members)

        def at(self, seconds: float) -> int:
            return super().at(seconds + 10 if 38 <= seconds < 45 else seconds)

    assert_named(judged(Slow().run().members(), tmp_path), "unlock.decided")


def test_an_unlock_before_the_window_is_named(tmp_path: Path) -> None:
    class Hasty(Opening):
        def start(self, w: int = 1, second: float = 25.1) -> None:
            self.nonces = {n: sha256(b"nonce", bytes([n, 1])) for n in (1, 2)}
            super().unlock(self.bidders[0])
            super().start(w, 28.1)

        def unlock(self, bidder: Bidder) -> None:
            if bidder.number != 1:
                super().unlock(bidder)

        def at(self, seconds: float) -> int:
            moved = seconds + 3 if seconds > 28.1 or 27.001 < seconds < 28 else seconds
            return super().at(moved)

    assert_named(judged(Hasty().run().members(), tmp_path), "unlock.early")


def test_pauses_must_be_in_order_and_over_before_the_end(tmp_path: Path) -> None:
    class TwicePaused(Paused):
        def change(self, second: float, kind: str, end_ms: int, remaining_ms: int | None) -> None:
            super().change(second, "pause" if kind == "resume" else kind, end_ms, 20_000)

    report = judged(TwicePaused().run().members(), tmp_path)
    assert_named(report, "window.change")
    assert_named(report, "window.paused")


def test_a_window_is_not_restarted_while_it_runs(tmp_path: Path) -> None:
    class Overlapping(Opening):
        def end(self, w: int = 1, second: float = 35.2) -> None:
            first = dict(self.nonces)
            self.start(2, 30.1)
            self.nonces = first
            super().end(w, second)

    assert_named(judged(Overlapping().run().members(), tmp_path), "window.running")


def test_steps_out_of_order_are_named(tmp_path: Path) -> None:
    class Swapped(Opening):
        def reply_end(self) -> None:
            super().freeze()

        def freeze(self) -> None:
            super().reply_end()

        def at(self, seconds: float) -> int:
            return super().at({39: 40.05, 40: 39.5}.get(seconds, seconds))

    assert_named(judged(Swapped().run().members(), tmp_path), "window.order")


def test_an_end_before_its_start_is_named(tmp_path: Path) -> None:
    class Backwards(Opening):
        def start(self, w: int = 1, second: float = 25.1) -> None:
            self.at(24.5)
            facts = {"end_ms": START_MS + 35_100, "early": False, "unlocked": 2}
            self.entry(12, nonce=NONCE_1, **facts)
            super().start(w, second)

    assert_named(judged(Backwards().run().members(), tmp_path), "window.end_order")


def test_nothing_of_a_tender_comes_before_the_tender(tmp_path: Path) -> None:
    class Before(Opening):
        def publish(self) -> None:
            self.at(0.1)
            self.entry(7, checked=0, damaged=[])
            super().publish()

    assert_named(judged(Before().run().members(), tmp_path), "tender.first")


def test_a_key_registered_after_its_submission_is_named(tmp_path: Path) -> None:
    class Afterwards(Opening):
        held: dict[str, Any] | None = None

        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 3 and len(self.bidders) == 2:
                self.held = members
                return None
            return super().entry(entry_type, public=public, **members)

        def submit(self, bidder: Bidder) -> None:
            super().submit(bidder)
            if bidder.number == 3:
                assert self.held is not None
                self.at(15)
                super().entry(3, **self.held)

    assert_named(judged(Afterwards().run().members(), tmp_path), "registration.late")
