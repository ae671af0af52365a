"""Releases early, wrong, dropped or untrue, and what they would have decided."""

from pathlib import Path
from typing import Any

import pytest

from crypto.hashes import sha256
from crypto.messages import build_self_release
from tests.verifier.bundle_maker import Bidder, Opening, release_names
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.opening_variants import LyingTrustee, TrusteesLost
from tests.verifier.tender_maker import HOST, SUPERVISOR, signing


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
