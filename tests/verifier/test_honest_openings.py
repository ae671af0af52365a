"""Openings that took every lawful turn agree, and say what rests on whose word."""

from pathlib import Path
from typing import Any

import pytest

from crypto.hashes import sha256
from crypto.messages import build_card_unlock
from tests.verifier.bundle_maker import LOCKED, MALFORMED, OPENED, Bidder, Opening
from tests.verifier.judging import assert_agrees, assert_named, judged, remarks
from tests.verifier.opening_variants import LyingTrustee, Paused, TrusteesLost, Witnessed
from tests.verifier.tender_maker import DEADLINE_MS, manifest_value


def test_quorum_zero_prints_no_witnesses_and_lists_the_keys(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    report = judged(members, tmp_path)
    assert_agrees(report)
    assert {"closing.no_witnesses", "trust.key", "time.host", "closed.complete"} <= remarks(report)
    assert {"body.not_included", "registration.invitation", "journal.withheld"} <= remarks(report)
    assert [one.code for one in report.not_checkable] == [
        "reading_in_secret",
        "hindered_upload",
        "honest_sealing",
    ]
    assert report.facts["state_opened"] == report.facts["state_locked"] == "1"


def test_with_the_tender_id_the_keys_are_not_taken_on_anybodys_word(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    report = judged(members, tmp_path, tender_id=honest.manifest.tender_id)
    assert_agrees(report)
    assert "trust.key" not in remarks(report)


def test_two_of_three_trustees_are_enough(tmp_path: Path) -> None:
    class TwoRelease(Opening):
        releasing = (1, 3)

    assert_agrees(judged(TwoRelease().run().members(), tmp_path))


def test_nobody_unlocked_and_all_stay_locked(tmp_path: Path) -> None:
    class Silent(Opening):
        fates = (LOCKED, LOCKED, LOCKED)

    report = judged(Silent().run().members(), tmp_path)
    assert_agrees(report)
    assert report.facts["state_locked"] == "3"


def test_a_card_unlocks_without_a_signature(tmp_path: Path) -> None:
    class ByCard(Opening):
        def unlock(self, bidder: Bidder) -> None:
            if bidder.fate == MALFORMED:
                super().unlock(bidder)
                return
            self.at(27)
            raw = build_card_unlock(
                self.manifest.suite_impl,
                tender_id=self.manifest.tender_id,
                opening_nonce=self.nonces[1],
                bid_id=bidder.form.header.bid_id,
                bidder_half=bidder.form.bidder_half,
            ).raw
            facts = {"nonce": self.nonces[1].hex(), "by": "card", "result": 0}
            self.message_entry(10, "card", raw, **facts, received_ms=self.now_ms)

    assert_agrees(judged(ByCard().run().members(), tmp_path))


def test_bidders_show_their_own_half_when_trustees_are_lost(tmp_path: Path) -> None:
    assert_agrees(judged(TrusteesLost().run().members(), tmp_path))


def test_a_bid_without_host_half_is_unrecoverable(tmp_path: Path) -> None:
    class OnlyThree(TrusteesLost):
        showing = (3,)

        def states(self) -> dict[bytes, tuple[str, bytes | None]]:
            first = self.bidders[0].form.header.bid_id
            return super().states() | {first: ("unrecoverable", None)}

        def members(self) -> dict[str, bytes]:
            first = self.bidders[0].form.header.bid_id.hex()
            found = super().members()
            return {k: v for k, v in found.items() if k != f"forms/{first}.kbc"}

    report = judged(OnlyThree().run().members(), tmp_path)
    assert_agrees(report)
    assert report.facts["state_unrecoverable"] == "1"


def test_a_restart_before_any_release_collects_from_those_who_missed_it(tmp_path: Path) -> None:
    class Restarted(Opening):
        fates = (OPENED, OPENED, MALFORMED)

        def unlock(self, bidder: Bidder) -> None:
            if bidder.number != 2:
                super().unlock(bidder)

        def unlocked(self) -> list[Bidder]:
            early = self.nonces[1] == sha256(b"nonce", bytes([1, 1]))
            return [one for one in self.bidders if not early or one.number != 2]

        def end(self, w: int = 1, second: float = 35.2) -> None:
            super().end()
            self.start(2, 36.1)
            late = self.bidders[1]
            self.at(37.5)
            facts = {"nonce": self.nonces[1].hex(), "by": "key", "result": 0}
            raw = self.unlock_message(late, w=2)
            self.message_entry(10, "unlock", raw, **facts, received_ms=self.now_ms)
            super().end(2, 46.2)

        def at(self, seconds: float) -> int:
            later = 10 if seconds >= 38 and len(self.checkpoint_sizes) == 3 else 0
            return super().at(seconds + later)

    report = judged(Restarted().run().members(), tmp_path)
    assert_agrees(report)
    assert report.facts["state_opened"] == "2"


def test_a_pause_and_an_extension_move_the_end(tmp_path: Path) -> None:
    assert_agrees(judged(Paused().run().members(), tmp_path))


def test_the_window_ends_early_when_everybody_has_unlocked(tmp_path: Path) -> None:
    class Early(Opening):
        fates = (OPENED, OPENED, MALFORMED)

        def end(self, w: int = 1, second: float = 35.2) -> None:
            self.at(30.2)
            for envelope in (1, 2):
                facts = {"end_ms": self.at(35.1), "early": True, "unlocked": 3}
                self.at(30.2)
                self.entry(12, nonce=self.nonces[envelope].hex(), **facts)
            self.under_checkpoint("log/window-end-1-1.txt")
            self.files["log/window-end-2-1.txt"] = self.files["log/window-end-1-1.txt"]

    report = judged(Early().run().members(), tmp_path)
    assert_agrees(report)
    assert "window.early_bodies" in remarks(report)


def test_the_deadline_moves_by_a_signed_change(tmp_path: Path) -> None:
    class Moved(Opening):
        def manifest_value(self) -> dict[str, Any]:
            return manifest_value(deadline_ms=DEADLINE_MS - 8000)

        def publish(self) -> None:
            super().publish()
            self.at(0.8)
            facts = {"old_ms": DEADLINE_MS - 8000, "deadline_ms": DEADLINE_MS}
            self.act(4, **facts, reason="答疑延期")

    assert_agrees(judged(Moved().run().members(), tmp_path))


def test_a_lying_trustee_is_named_and_harms_nobody(tmp_path: Path) -> None:
    assert_agrees(judged(LyingTrustee().run().members(), tmp_path))


def test_a_second_release_is_evidence_beside_the_first(tmp_path: Path) -> None:
    class Second(Opening):
        def reply_end(self) -> None:
            self.at(38.6)
            raw = self.release_message(
                1, items=[(b, 3, bytes(32)) for b, _, _ in self.release_items(1)]
            )
            digest = sha256(raw).hex()
            self.files[f"release/{digest}.bin"] = raw
            facts = {"i": 1, "bid_id": None, "fault": "second", "sha256": digest}
            self.entry(18, nonce=self.nonces[1].hex(), **facts)
            super().reply_end()

    found = Second().run().members()
    assert_agrees(judged(found, tmp_path))
    without = {
        k: v for k, v in found.items() if len(v) != 188 + 130 or b"\x03" + bytes(32) not in v
    }
    assert len(without) == len(found) - 1
    report = judged(without, tmp_path)
    assert_agrees(report)
    assert "fault.second" in remarks(report)


def test_damaged_bytes_that_are_not_shown_are_taken_on_word(tmp_path: Path) -> None:
    class Damaged(Opening):
        def states(self) -> dict[bytes, tuple[str, bytes | None]]:
            first = self.bidders[0].form.header.bid_id
            return super().states() | {first: ("damaged", None)}

        def members(self) -> dict[str, bytes]:
            first = self.bidders[0].form.header.bid_id.hex()
            return {k: v for k, v in super().members().items() if k != f"forms/{first}.kbc"}

    report = judged(Damaged().run().members(), tmp_path)
    assert_agrees(report)
    assert "form.damaged" in remarks(report)


class NotHeld(Opening):
    """Closed with one bid, and nothing was opened."""

    least = 2

    def manifest_value(self) -> dict[str, Any]:
        return manifest_value(min_bidders=self.least)

    def run(self) -> "Opening":
        self.publish()
        self.register(1, OPENED)
        self.submit(self.bidders[0])
        self.close()
        return self


def test_too_few_bids_and_no_opening_is_held(tmp_path: Path) -> None:
    report = judged(NotHeld().run().members(), tmp_path)
    assert_agrees(report)
    assert "opening.none" in remarks(report)


def test_an_opening_that_is_not_shown_is_missed(tmp_path: Path) -> None:
    class Hidden(NotHeld):
        least = 1

    assert_named(judged(Hidden().run().members(), tmp_path), "window.none")


@pytest.mark.parametrize("seq", [2, 20])
def test_a_replacing_submission_counts_by_itself(seq: int, tmp_path: Path) -> None:
    class Replaced(Opening):
        def submit(self, bidder: Bidder) -> None:
            self.seq = seq if bidder.number == 1 else 1
            super().submit(bidder)

    assert_agrees(judged(Replaced().run().members(), tmp_path))


def test_witnesses_bound_the_closing(tmp_path: Path) -> None:
    report = judged(Witnessed().run().members(), tmp_path)
    assert_agrees(report)
    assert "closing.no_witnesses" not in remarks(report)
    assert report.facts["closing_fingerprint"]
