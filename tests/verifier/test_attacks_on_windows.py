"""Windows bent in time, and openings whose steps or states are not what they must be."""

from pathlib import Path
from typing import Any

import pytest

from crypto.hashes import sha256
from tests.verifier.bidding_maker import Bidder
from tests.verifier.bundle_maker import LOCKED, MALFORMED, OPENED, Opening
from tests.verifier.judging import assert_agrees, assert_named, judged, remarks
from tests.verifier.opening_variants import Paused
from tests.verifier.tender_maker import manifest_value


def test_a_window_is_not_opened_again_after_a_release(tmp_path: Path) -> None:
    class Restarted(Opening):
        """Prices are known from t releases; then the host 'restarts' for somebody late."""

        def reply_end(self) -> None:
            first = dict(self.nonces)
            self.start(2, 38.6)
            self.nonces = first
            super().reply_end()

    assert_named(judged(Restarted().run().members(), tmp_path), "window.restart")


def test_a_window_does_not_open_before_the_closing_is_signed(tmp_path: Path) -> None:
    class Hasty(Opening):
        def close(self) -> None:
            super().close()
            # The closing checkpoint that is shown came only after the start.
            self.sign_later = self.files.pop("log/closing.txt")
            self.checkpoint_sizes.clear()

        def start(self, w: int = 1, second: float = 25.1) -> None:
            super().start(w, second)
            self.under_checkpoint("log/closing.txt")

    assert_named(judged(Hasty().run().members(), tmp_path), "window.before_closing")


def test_a_closing_checkpoint_from_before_the_closing_is_named(tmp_path: Path) -> None:
    class Early(Opening):
        def close(self) -> None:
            super().close()
            size = self.checkpoint_sizes[0] - 1
            self.files["log/closing.txt"] = self.log.checkpoint(size).encode()
            self.checkpoint_sizes[0] = size

    assert_named(judged(Early().run().members(), tmp_path), "closed.checkpoint", "log/closing.txt")


def test_a_window_that_ends_before_its_end_is_named(tmp_path: Path) -> None:
    class Short(Opening):
        def end(self, w: int = 1, second: float = 35.2) -> None:
            super().end(w, 34.2)

        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 12:
                members["end_ms"] += 1000
            return super().entry(entry_type, public=public, **members)

    assert_named(judged(Short().run().members(), tmp_path), "window.end_early")


class SaidEarly(Opening):
    """WINDOW_END says that everybody has unlocked; bidder 2 has not."""

    def end(self, w: int = 1, second: float = 35.2) -> None:
        super().end(w, 31.2)

    def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
        if entry_type == 12:
            members |= {"early": True, "unlocked": self.said}
        return super().entry(entry_type, public=public, **members)

    said = 2


@pytest.mark.parametrize(("said", "code"), [(2, "window.early"), (3, "window.unlocked")])
def test_an_early_end_needs_every_unlock(said: int, code: str, tmp_path: Path) -> None:
    opening = SaidEarly()
    opening.said = said
    assert_named(judged(opening.run().members(), tmp_path), code)


class TwoLots(SaidEarly):
    """Two bidders for the first lot, one for the second, where two are asked for."""

    fates = (OPENED, OPENED, LOCKED)

    def manifest_value(self) -> dict[str, Any]:
        lots = [{"lot": 1, "name": "第一标段"}, {"lot": 2, "name": "第二标段"}]
        return manifest_value(min_bidders=2) | {"lots": lots}

    def lot_of(self, bidder: Bidder) -> int:
        return 2 if bidder.number == 3 else 1


def test_the_bids_of_a_lot_that_failed_are_not_waited_for(tmp_path: Path) -> None:
    report = judged(TwoLots().run().members(), tmp_path)
    assert_agrees(report)
    assert "decision.none" not in remarks(report)  # nobody's fault


def test_a_bid_of_a_lot_with_too_few_bidders_stays_sealed(tmp_path: Path) -> None:
    class Opened(TwoLots):
        fates = (OPENED, OPENED, OPENED)
        said = 3

    assert_named(judged(Opened().run().members(), tmp_path), "unlock.lot")


def test_two_bids_of_two_lots_are_not_two_bidders_of_one(tmp_path: Path) -> None:
    """Nothing was lawful to open: that no opening is shown is as it should be."""

    class NotHeld(TwoLots):
        fates = (OPENED, OPENED)

        def lot_of(self, bidder: Bidder) -> int:
            return bidder.number

        def run(self) -> Opening:
            self.publish()
            for number, fate in enumerate(self.fates, 1):
                self.register(number, fate)
            for bidder in self.bidders:
                self.submit(bidder)
            self.close()
            return self

    assert_agrees(judged(NotHeld().run().members(), tmp_path))


def test_an_early_end_needs_the_manifests_leave(tmp_path: Path) -> None:
    class NotAllowed(SaidEarly):
        fates = (OPENED, MALFORMED)

        def manifest_value(self) -> dict[str, Any]:
            value = manifest_value()
            value["sessions"][0]["early_end"] = False
            return value

    assert_named(judged(NotAllowed().run().members(), tmp_path), "window.early_forbidden")


def test_a_window_shorter_than_promised_is_named(tmp_path: Path) -> None:
    class Promised(Opening):
        def manifest_value(self) -> dict[str, Any]:
            value = manifest_value()
            value["sessions"][0]["window_ms"] = 10_001
            return value

    assert_named(judged(Promised().run().members(), tmp_path), "window.length")


def test_a_start_claimed_before_it_was_announced_is_named(tmp_path: Path) -> None:
    class BackDated(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 8:
                members |= {"start_ms": members["start_ms"] - 2001}
            return super().entry(entry_type, public=public, **members)

    assert_named(judged(BackDated().run().members(), tmp_path), "window.start")


def test_a_change_never_shortens(tmp_path: Path) -> None:
    class Shortened(Paused):
        def change(self, second: float, kind: str, end_ms: int, remaining_ms: int | None) -> None:
            super().change(second, kind, end_ms - (3000 if kind == "resume" else 0), remaining_ms)

    report = judged(Shortened().run().members(), tmp_path)
    assert_named(report, "window.shorter")


def test_a_pause_keeps_the_time_that_was_left(tmp_path: Path) -> None:
    class Stolen(Paused):
        def change(self, second: float, kind: str, end_ms: int, remaining_ms: int | None) -> None:
            super().change(second, kind, end_ms, remaining_ms and remaining_ms - 1)

    assert_named(judged(Stolen().run().members(), tmp_path), "window.remaining")


def test_the_envelopes_of_a_session_open_together(tmp_path: Path) -> None:
    class OnlyForm(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            of_body = members.get("envelope") == 2 or (
                members.get("nonce") == sha256(b"nonce", bytes([2, 1])).hex()
            )
            return None if of_body else super().entry(entry_type, public=public, **members)

    assert_named(judged(OnlyForm().run().members(), tmp_path), "window.together")


def test_a_bid_cannot_be_misjudged(tmp_path: Path) -> None:
    class Excluded(Opening):
        """The host declares a competitor's good bid malformed."""

        def states(self) -> dict[bytes, tuple[str, bytes | None]]:
            return dict.fromkeys(super().states(), (MALFORMED, None))

    report = judged(Excluded().run().members(), tmp_path)
    assert_named(report, "frozen.state", "frozen.json")
    assert_named(report, "readout.count", "readout.json")


def test_a_bid_left_out_of_the_frozen_list_is_named(tmp_path: Path) -> None:
    class LeftOut(Opening):
        def states(self) -> dict[bytes, tuple[str, bytes | None]]:
            found = super().states()
            return {k: v for k, v in found.items() if v[0] != OPENED}

    assert_named(judged(LeftOut().run().members(), tmp_path), "frozen.state", "frozen.json")


@pytest.mark.parametrize("missing", [12, 17, 19, 20])
def test_an_opening_without_one_of_its_steps_is_unfinished(missing: int, tmp_path: Path) -> None:
    class Unfinished(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            return super().entry(entry_type, public=public and entry_type != missing, **members)

    assert_named(judged(Unfinished().run().members(), tmp_path), "window.unfinished")


def test_an_unlawful_ground_is_named(tmp_path: Path) -> None:
    class Excused(Opening):
        """A malformed bid is excused: somebody else is to pay for it."""

        def act(self, entry_type: int, **members: Any) -> Any:
            if entry_type == 22 and members["ground"] == MALFORMED:
                members |= {"ground": "excused"}
            return super().act(entry_type, **members)

    report = judged(Excused().run().members(), tmp_path)
    assert_named(report, "decision.ground")
    assert LOCKED in Excused.fates


def test_an_unlawful_suggestion_is_named(tmp_path: Path) -> None:
    class Suggested(Opening):
        def act(self, entry_type: int, **members: Any) -> Any:
            if entry_type == 22 and members["ground"] == MALFORMED:
                members |= {"proposed": "excused"}
            return super().act(entry_type, **members)

    assert_named(judged(Suggested().run().members(), tmp_path), "decision.ground")


def test_a_bid_that_is_decided_about_twice_is_named(tmp_path: Path) -> None:
    class Twice(Opening):
        def act(self, entry_type: int, **members: Any) -> Any:
            made = super().act(entry_type, **members)
            return super().act(entry_type, **members) if entry_type == 22 else made

    assert_named(judged(Twice().run().members(), tmp_path), "decision.order")


def test_a_decision_before_the_states_are_frozen_is_named(tmp_path: Path) -> None:
    class Hasty(Opening):
        def reply_end(self) -> None:
            super().reply_end()
            locked = next(b for b in self.bidders if b.fate == LOCKED)
            facts = {"bid_id": locked.form.header.bid_id.hex(), "reason": "太早"}
            super().act(22, **facts, proposed="revoked", ground="revoked")

        def act(self, entry_type: int, **members: Any) -> Any:
            if entry_type != 22 or members["ground"] == MALFORMED:
                super().act(entry_type, **members)

    assert_named(judged(Hasty().run().members(), tmp_path), "decision.order")


@pytest.mark.parametrize(("second", "named"), [(38.5, False), (39.5, True)])
def test_a_repair_after_the_end_of_the_replies_is_named(
    second: float, named: bool, tmp_path: Path
) -> None:
    class Repaired(Opening):
        def repair(self) -> None:
            header = self.bidders[0].form.header
            self.entry(16, bid_id=header.bid_id.hex(), ct_root=header.ct_root.hex())

        def reply_end(self) -> None:
            if not named:
                self.at(second)
                self.repair()
            super().reply_end()
            if named:
                self.at(second)
                self.repair()

    report = judged(Repaired().run().members(), tmp_path)
    if named:
        assert_named(report, "repair.order")
    else:
        assert report.mismatches == []
