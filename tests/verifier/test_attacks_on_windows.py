"""Windows bent in time, unlocks forged or late, releases early, wrong or dropped."""

from pathlib import Path
from typing import Any

import pytest

from crypto.hashes import sha256
from crypto.messages import build_self_release, build_unlock
from tests.verifier.bundle_maker import LOCKED, MALFORMED, OPENED, Bidder, Opening
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.tender_maker import HOST, SUPERVISOR, manifest_value, signing
from tests.verifier.test_honest_openings import LyingTrustee, Paused, TrusteesLost


def release_names(opening: Opening) -> list[str]:
    return sorted(name for name in opening.files if name.startswith("release/"))


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


class OtherRelease(Opening):
    """Trustee 1's release is changed by `facts`."""

    facts: dict[str, Any] = {}  # noqa: RUF012 - set by each test

    def release_message(self, number: int, **changes: Any) -> bytes:
        return super().release_message(number, **(changes | (self.facts if number == 1 else {})))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"root": b"\7" * 32}, "release.checkpoint"),
        ({"size": 1}, "release.checkpoint"),
        ({"opening_nonce": b"\7" * 32}, "release.window"),
        ({"tender_id": b"\7" * 32}, "release.window"),
        ({"envelope": 2}, "release.window"),
        ({"mode": 1}, "release.mode"),
        ({"i": 2}, "release.entry"),
        ({"key": signing("trustee 2")}, "release.signature"),
        ({"items": []}, "release.set"),
    ],
)
def test_a_release_of_something_else_is_named(
    facts: dict[str, Any], code: str, tmp_path: Path
) -> None:
    opening = OtherRelease()
    opening.facts = facts
    opening.run()
    report = judged(opening.members(), tmp_path)
    assert_named(report, code)


def test_a_release_for_a_bid_that_was_never_unlocked_is_named(tmp_path: Path) -> None:
    class TooMany(Opening):
        def unlocked(self) -> list[Bidder]:
            return self.bidders if self.releasing_now else super().unlocked()

        releasing_now = False

        def release(self, i: int) -> None:
            self.releasing_now = True
            super().release(i)
            self.releasing_now = False

    opening = TooMany().run()
    report = judged(opening.members(), tmp_path)
    assert_named(report, "release.set", release_names(opening)[0])


def test_a_release_before_the_end_was_signed_is_named(tmp_path: Path) -> None:
    class Before(Opening):
        def end(self, w: int = 1, second: float = 35.2) -> None:
            super().end(w, second)
            # The checkpoint that counts is taken only after the releases.
            self.files.pop("log/window-end-1-1.txt")

        def reply_end(self) -> None:
            self.under_checkpoint("log/window-end-1-1.txt")
            self.files["log/window-end-2-1.txt"] = self.files["log/window-end-1-1.txt"]
            super().reply_end()

    report = judged(Before().run().members(), tmp_path)
    assert_named(report, "release.early")
    assert_named(report, "release.checkpoint")


def test_a_dropped_release_is_named(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    name = release_names(honest)[0]
    report = judged({key: raw for key, raw in members.items() if key != name}, tmp_path)
    assert_named(report, "release.absent", name)


def test_releases_dropped_from_log_and_bundle_leave_states_without_ground(tmp_path: Path) -> None:
    class OneLeft(Opening):
        releasing = (2,)

    assert_named(judged(OneLeft().run().members(), tmp_path), "frozen.state", "frozen.json")


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


def test_a_trustees_fault_is_not_passed_over(tmp_path: Path) -> None:
    class Silent(LyingTrustee):
        logged = False

    report = judged(Silent().run().members(), tmp_path)
    assert_named(report, "fault.unlogged")
    assert codes(report) == {"fault.unlogged"}


def test_an_honest_trustee_is_not_framed(tmp_path: Path) -> None:
    class Framed(LyingTrustee):
        def release_items(self, i: int) -> list[tuple[bytes, int, bytes]]:
            return Opening.release_items(self, i)

    assert_named(judged(Framed().run().members(), tmp_path), "fault.unfounded")


@pytest.mark.parametrize("second", [37.9, 39.5])
def test_a_self_release_outside_its_time_is_named(second: float, tmp_path: Path) -> None:
    class Untimely(TrusteesLost):
        def show(self, bidder: Bidder) -> None:
            pass

        def own(self) -> None:
            self.at(second)
            self.nonces.setdefault(1, b"")
            TrusteesLost.show(self, self.bidders[0])

        def end(self, w: int = 1, second_: float = 35.2) -> None:
            super().end(w, second_)
            if second < 38:
                self.own()

        def reply_end(self) -> None:
            super().reply_end()
            if second > 39:
                self.own()

    assert_named(judged(Untimely().run().members(), tmp_path), "self.time")


def test_a_made_up_host_half_fails_the_deal_check(tmp_path: Path) -> None:
    class MadeUp(TrusteesLost):
        def show(self, bidder: Bidder) -> None:
            raw = build_self_release(
                self.manifest.suite_impl,
                tender_id=self.manifest.tender_id,
                opening_nonce=self.nonces[1],
                bid_id=bidder.form.header.bid_id,
                host_half=(7).to_bytes(32, "little"),
            ).raw
            digest = sha256(raw).hex()
            self.files[f"self/{digest}.bin"] = raw
            bid_id = bidder.form.header.bid_id.hex()
            facts = {"nonce": self.nonces[1].hex(), "bid_id": bid_id, "sha256": digest}
            self.entry(14, **facts, received_ms=self.now_ms)

    assert_named(judged(MadeUp().run().members(), tmp_path), "self.half")


@pytest.mark.parametrize("keys", [(HOST,), (SUPERVISOR,), (HOST, signing("nobody"))])
def test_trustees_are_not_lost_on_one_signature(keys: tuple[Any, ...], tmp_path: Path) -> None:
    class OneSided(TrusteesLost):
        signers = keys

    report = judged(OneSided().run().members(), tmp_path)
    assert_named(report, "act.roles", "log/entries.jsonl")


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
