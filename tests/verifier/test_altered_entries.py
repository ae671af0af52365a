"""One entry altered, added or repeated by whoever holds log and receipt key: a table."""

from pathlib import Path
from typing import Any

import pytest

from crypto.hashes import sha256
from crypto.messages import build_release
from crypto.sealing import Sealed, seal_bytes
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.judging import assert_named, judged
from tests.verifier.opening_variants import LyingTrustee, TrusteesLost
from tests.verifier.tender_maker import (
    DEADLINE_MS,
    EXPIRY_MS,
    NONCE_1,
    NONCE_2,
    START_MS,
    manifest_value,
    signing,
)


class Altered(Opening):
    """Every entry of a type (or the nth alone) gets other members."""

    of_type = 0
    nth: int | None = None
    changes: dict[str, Any] = {}  # noqa: RUF012 - set by each test
    times = 1

    def __init__(self) -> None:
        super().__init__()
        self.met = 0

    def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
        if entry_type != self.of_type:
            return super().entry(entry_type, public=public, **members)
        self.met += 1
        if self.nth is None or self.met == self.nth:
            members |= self.changes
            for _ in range(self.times - 1):
                super().entry(entry_type, public=public, **members)
        return super().entry(entry_type, public=public, **members)


@pytest.mark.parametrize(
    ("of_type", "nth", "changes", "code"),
    [
        (1, None, {"log_origin": "other.example/kaibiao/log"}, "tender.site"),
        (5, 1, {"result": 1}, "submit.entry"),
        (5, 1, {"size": 7}, "submit.entry"),
        (5, 1, {"received_ms": DEADLINE_MS - 1}, "submit.received"),
        (7, None, {"damaged": ["ab" * 32]}, "store.unknown"),
        (8, 2, {"envelope": 3}, "window.session"),
        (8, 2, {"nonce": NONCE_1}, "window.nonce"),
        (8, None, {"w": 2}, "window.number"),
        (8, 2, {"end_ms": START_MS + 35_101}, "window.apart"),
        (10, 1, {"size": 7}, "unlock.size"),
        (12, 1, {"end_ms": START_MS + 35_101}, "window.end_ms"),
        (12, None, {"early": True, "unlocked": 9}, "window.early_count"),
        (12, 1, {"nonce": "ab" * 32}, "window.unknown"),
        (13, 1, {"received_ms": START_MS + 39_000}, "release.received"),
        (13, 1, {"size": 7}, "release.size"),
        (13, 1, {"nonce": NONCE_2}, "release.body"),
        (19, 1, {"size": 7}, "frozen.logged"),
        (20, 1, {"sha256": "ab" * 32}, "readout.logged"),
    ],
)
def test_an_altered_entry_is_named(
    of_type: int, nth: int | None, changes: dict[str, Any], code: str, tmp_path: Path
) -> None:
    opening = Altered()
    opening.of_type, opening.nth, opening.changes = of_type, nth, changes
    assert_named(judged(opening.run().members(), tmp_path), code)


@pytest.mark.parametrize(
    ("of_type", "code"),
    [
        (3, "registration.twice"),
        (5, "submit.once"),
        (6, "closed.once"),
        (12, "window.twice"),
        (13, "release.twice"),
        (17, "window.twice"),
        (19, "window.twice"),
    ],
)
def test_an_entry_that_stands_twice_is_named(of_type: int, code: str, tmp_path: Path) -> None:
    opening = Altered()
    opening.of_type, opening.times = of_type, 2
    assert_named(judged(opening.run().members(), tmp_path), code)


class Added(Opening):
    """One more entry after everything else."""

    entry_type = 0
    facts: dict[str, Any] = {}  # noqa: RUF012 - set by each test

    def finish(self) -> None:
        super().finish()
        self.at(43)
        self.entry(self.entry_type, **self.facts)
        self.log.tick()


@pytest.mark.parametrize(
    ("entry_type", "facts", "code"),
    [
        (16, {"bid_id": "ab" * 32, "ct_root": "ab" * 32}, "repair.root"),
        (21, {"bid_id": "ab" * 32, "state": "opened"}, "body.unknown"),
        (
            9,
            {
                "nonce": NONCE_1,
                "change": "extend",
                "end_ms": START_MS + 50_000,
                "remaining_ms": None,
                "reason": "再延长",
            },
            "window.change_late",
        ),
        (
            10,
            {
                "nonce": NONCE_1,
                "by": "key",
                "result": 0,
                "sha256": "ab" * 32,
                "size": 240,
                "received_ms": START_MS + 35_000,
            },
            "unlock.after_end",
        ),
        (30, {"stream": "opening:jz-0417", "seq": 1, "hash": "ab" * 32}, "journal.rising"),
    ],
)
def test_an_added_entry_is_named(
    entry_type: int, facts: dict[str, Any], code: str, tmp_path: Path
) -> None:
    opening = Added()
    opening.entry_type, opening.facts = entry_type, facts
    assert_named(judged(opening.run().members(), tmp_path), code)


def test_a_tender_that_demands_certificates_takes_no_invitation(tmp_path: Path) -> None:
    class Strict(Opening):
        def manifest_value(self) -> dict[str, Any]:
            value = manifest_value(uncertified_allowed=False)
            for trustee in value["trustees"]:
                trustee["ca"] = {"chain": ["30"], "sig": "00" * 64}
            return value

    report = judged(Strict().run().members(), tmp_path)
    assert_named(report, "registration.uncertified")
    assert "trustee.certificate" in {one.code for one in report.word_of}


def test_a_release_with_an_expired_key_is_named(tmp_path: Path) -> None:
    class Expired(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 13:
                members["received_ms"] = EXPIRY_MS + 1
            return super().entry(entry_type, public=public, **members)

    assert_named(judged(Expired().run().members(), tmp_path), "release.expiry")


def test_a_fourth_trustee_of_three_is_named(tmp_path: Path) -> None:
    class Fourth(Opening):
        def release(self, i: int) -> None:
            super().release(i)
            if i == 3:
                raw = build_release(
                    self.manifest.suite_impl,
                    tender_id=self.manifest.tender_id,
                    root=self.log.root(self.checkpoint_sizes[-1]),
                    size=self.checkpoint_sizes[-1],
                    opening_nonce=self.nonces[1],
                    envelope=1,
                    i=4,
                    mode=0,
                    items=self.release_items(3),
                    key=signing("trustee 3"),
                ).raw
                facts = {"nonce": NONCE_1, "i": 4, "mode": 0, "received_ms": self.now_ms}
                self.message_entry(13, "release", raw, **facts)

    assert_named(judged(Fourth().run().members(), tmp_path), "release.trustee")


def test_a_fault_must_name_the_release_that_shows_it(tmp_path: Path) -> None:
    class Elsewhere(LyingTrustee):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 18:
                members["sha256"] = "ab" * 32
            return super().entry(entry_type, public=public, **members)

    assert_named(judged(Elsewhere().run().members(), tmp_path), "fault.release")


def test_the_first_release_is_no_second_one(tmp_path: Path) -> None:
    class Framed(Opening):
        def reply_end(self) -> None:
            digest = sha256(self.release_message(1)).hex()
            facts = {"i": 1, "bid_id": None, "fault": "second", "sha256": digest}
            self.entry(18, nonce=NONCE_1, **facts)
            super().reply_end()

    assert_named(judged(Framed().run().members(), tmp_path), "fault.second")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: None, "self.absent"),
        (lambda raw: raw[:-1], "self.layout"),
        (lambda raw: raw[:40] + b"\7" + raw[41:], "self.window"),
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), "self.name"),
    ],
)
def test_a_self_release_edited_afterwards_is_named(change: Any, code: str, tmp_path: Path) -> None:
    found = TrusteesLost().run().members()
    name = next(one for one in found if one.startswith("self/"))
    raw = change(found[name])
    changed = {key: value for key, value in found.items() if key != name}
    report = judged(changed if raw is None else changed | {name: raw}, tmp_path)
    assert_named(report, code, name)


def test_equal_identities_would_mean_equal_keys(tmp_path: Path) -> None:
    class Reused(Opening):
        """Bidders 1 and 2 are one bidder that seals twice under one bid_nonce."""

        def register(self, number: int, fate: str) -> None:
            super().register(number, fate)
            if number == 2:
                self.bidders[1].key = self.bidders[0].key
                self.bidders[1].box_key = self.bidders[0].box_key

        def seal(self, bidder: Bidder, envelope: int, plaintext: bytes) -> Sealed:
            terms = self.manifest.terms(envelope, bidder.key.public, bidder.box_key.public)
            return seal_bytes(
                terms,
                plaintext,
                lot=1,
                created_ms=START_MS,
                bid_nonce=bytes(16),
                seed=sha256(b"seed", bytes([envelope]), bidder.code.encode()),
                key=bidder.key,
            )

    assert_named(judged(Reused().run().members(), tmp_path), "header.ad")


@pytest.mark.parametrize("seq", [21, 2**32 - 1])
def test_more_submissions_than_the_tender_allows_are_named(seq: int, tmp_path: Path) -> None:
    opening = Opening()
    opening.seq = seq
    assert_named(judged(opening.run().members(), tmp_path), "submit.seq")
