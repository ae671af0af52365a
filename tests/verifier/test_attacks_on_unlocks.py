"""Unlocks forged, late, replayed or leaked."""

from pathlib import Path
from typing import Any

import pytest

from crypto.messages import build_unlock
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.judging import assert_named, judged
from tests.verifier.tender_maker import signing


class ForgedUnlock(Opening):
    """Bidder 1's unlock is changed by `facts` and signed by `signer`."""

    facts: dict[str, Any] = {}  # noqa: RUF012 - set by each test
    at_ms: int | None = None

    def unlock(self, bidder: Bidder) -> None:
        if bidder.number != 1:
            super().unlock(bidder)
            return
        self.at(27.001)
        arguments: dict[str, Any] = {
            "tender_id": self.manifest.tender_id,
            "opening_nonce": self.nonces[1],
            "envelope": 1,
            "w": 1,
            "items": [(bidder.form.header.bid_id, bidder.form.bidder_half)],
            "key": bidder.key,
        }
        raw = build_unlock(self.manifest.suite_impl, **(arguments | self.facts)).raw
        facts = {"nonce": self.nonces[1].hex(), "by": "key", "result": 0}
        self.message_entry(10, "unlock", raw, **facts, received_ms=self.at_ms or self.now_ms)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"opening_nonce": b"\7" * 32}, "unlock.window"),
        ({"tender_id": b"\7" * 32}, "unlock.window"),
        ({"w": 2}, "unlock.envelope"),
        ({"envelope": 2}, "unlock.envelope"),
        ({"key": signing("bidder 2")}, "unlock.bidder"),
        ({"items": [(b"\7" * 32, b"\7" * 32)]}, "unlock.bid"),
    ],
)
def test_an_unlock_of_something_else_is_named(
    facts: dict[str, Any], code: str, tmp_path: Path
) -> None:
    opening = ForgedUnlock()
    opening.facts = facts
    name = next(iter(n for n in opening.run().files if n.startswith("unlock/")))
    assert_named(judged(opening.members(), tmp_path), code, name)


def test_a_wrong_half_does_not_unlock(tmp_path: Path) -> None:
    class Wrong(Opening):
        def submit(self, bidder: Bidder) -> None:
            super().submit(bidder)
            object.__setattr__(bidder.form, "bidder_half", bytes(32))

    report = judged(Wrong().run().members(), tmp_path)
    assert_named(report, "unlock.half")
    assert_named(report, "release.set")


def test_a_late_unlock_does_not_become_lawful_by_being_logged(tmp_path: Path) -> None:
    opening = ForgedUnlock()
    opening.at_ms = Opening().at(35.101)
    opening.run()
    report = judged(opening.members(), tmp_path)
    assert_named(report, "unlock.late")
    assert_named(report, "unlock.received")


def test_an_unsigned_unlock_is_named(honest: Opening, tmp_path: Path) -> None:
    class Unsigned(Opening):
        def unlock_message(self, bidder: Bidder, w: int = 1) -> bytes:
            return super().unlock_message(bidder, w)[:-64] + bytes(64)

    assert_named(judged(Unsigned().run().members(), tmp_path), "unlock.signature")


def test_halves_of_bodies_are_never_published(tmp_path: Path) -> None:
    class Leaking(Opening):
        def end(self, w: int = 1, second: float = 35.2) -> None:
            self.at(28)
            facts = {"nonce": self.nonces[2].hex(), "by": "key", "result": 0}
            self.message_entry(10, "unlock", b"halves", **facts, received_ms=self.now_ms)
            super().end(w, second)

    assert_named(judged(Leaking().run().members(), tmp_path), "unlock.body")
