"""Manifests, deadlines and acts without the signatures that they need."""

from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import encode
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.judging import assert_agrees, assert_named, judged
from tests.verifier.tender_maker import (
    AGENCY,
    DEADLINE_MS,
    HOST,
    LOG_KEY,
    ORIGIN,
    SUPERVISOR,
    manifest_value,
    signing,
)

Members = dict[str, bytes]


def test_a_manifest_the_supervisor_did_not_sign_is_not_in_force(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    message = b"KBID1 manifest\0" + honest.manifest.tender_id
    forged = [
        {"pk": key.public.hex(), "role": role, "sig": signer.sign(message).hex()}
        for role, key, signer in (
            ("agency", AGENCY, AGENCY),
            ("supervisor", SUPERVISOR, HOST),
        )
    ]
    value = {"signatures": forged, "tender_id": honest.manifest.tender_id.hex()}
    report = judged(members | {"manifest.sig.json": encode(value)}, tmp_path)
    assert_named(report, "authority.signature", "manifest.sig.json")
    assert_named(report, "authority.roles", "manifest.sig.json")
    assert_named(report, "tender.signatures", "manifest.sig.json")


def test_a_manifest_signed_by_strangers_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    message, stranger = b"KBID1 manifest\0" + honest.manifest.tender_id, signing("stranger")
    signatures = [
        {"pk": stranger.public.hex(), "role": role, "sig": stranger.sign(message).hex()}
        for role in ("agency", "supervisor")
    ]
    value = {"signatures": signatures, "tender_id": honest.manifest.tender_id.hex()}
    report = judged(members | {"manifest.sig.json": encode(value)}, tmp_path)
    assert_named(report, "authority.officer", "manifest.sig.json")


def test_another_manifest_is_not_the_one_that_was_logged(members: Members, tmp_path: Path) -> None:
    other = encode(manifest_value(title="另一个项目"))
    report = judged(members | {"manifest.json": other}, tmp_path)
    assert_named(report, "tender.manifest", "manifest.json")
    assert_named(report, "authority.signature", "manifest.sig.json")
    assert_named(report, "submit.tender")


def test_a_suite_that_this_program_does_not_know_is_told(members: Members, tmp_path: Path) -> None:
    other = encode(manifest_value(suite=0xFF01))
    report = judged(members | {"manifest.json": other}, tmp_path)
    assert_named(report, "manifest.suite", "manifest.json")


def test_a_trustee_without_the_key_proves_nothing(tmp_path: Path) -> None:
    value = manifest_value()
    value["trustees"][0]["proof"] = "00" * 64
    report = judged(Opening().run().members() | {"manifest.json": encode(value)}, tmp_path)
    assert_named(report, "trustee.proof", "manifest.json")


def test_another_tender_than_the_reader_asked_for_is_named(
    members: Members, tmp_path: Path
) -> None:
    report = judged(members, tmp_path, tender_id=bytes(32))
    assert_named(report, "trust.tender_id", "manifest.json")


def test_the_readers_own_keys_decide(members: Members, tmp_path: Path) -> None:
    known = {"经办agency": {AGENCY.public}, "经办supervisor": {SUPERVISOR.public}}
    report = judged(members, tmp_path, trust=known)
    assert_agrees(report)
    offices = [one.values for one in report.word_of if one.code == "trust.office"]
    assert offices == [{"name": f"经办{one}", "role": one} for one in ("agency", "supervisor")]
    report = judged(members, tmp_path, trust=known | {"经办supervisor": {signing("x").public}})
    assert_named(report, "trust.other_key", "manifest.json")
    assert_named(report, "trust.unknown_signer", "manifest.sig.json")
    report = judged(members, tmp_path, trust=known | {ORIGIN: {signing("x").public}})
    assert_named(report, "trust.other_key", "manifest.json")


def test_of_two_officers_of_one_name_either_key_will_do(members: Members, tmp_path: Path) -> None:
    known = {
        "经办agency": {AGENCY.public, signing("a namesake").public},
        "经办supervisor": {SUPERVISOR.public},
    }
    assert_agrees(judged(members, tmp_path, trust=known))


@pytest.mark.parametrize("name", ["经办supervisor", ORIGIN, "经办agency"])
def test_the_key_of_a_log_signs_for_no_supervisor(name: str, tmp_path: Path) -> None:
    """The reader knows the site's log, and whoever runs the site has its key: it makes a tender of
    its own, with a log of another name, and puts its known key where the supervisor's belongs."""
    known = {
        "经办agency": {AGENCY.public},
        "经办supervisor": {SUPERVISOR.public},
        ORIGIN: {LOG_KEY.public},
    }

    class OfTheSite(Opening):
        origin, log_key = f"other.{ORIGIN}", signing("another log")
        signers = (HOST, LOG_KEY)
        manifest_signers = (("agency", AGENCY), ("supervisor", LOG_KEY))

        def manifest_value(self) -> dict[str, Any]:
            log = {"origin": self.origin, "pk": self.log_key.public.hex()}
            value = manifest_value(log=log)
            value["officers"][1] |= {"name": name, "pk": LOG_KEY.public.hex()}
            return value

    members = OfTheSite().run().members()
    assert_agrees(judged(members, tmp_path))
    report = judged(members, tmp_path, trust=known)
    assert_named(report, "trust.unknown_signer", "manifest.sig.json")


@pytest.mark.parametrize(
    ("facts", "seconds", "code"),
    [
        ({"old_ms": DEADLINE_MS, "deadline_ms": DEADLINE_MS - 1}, 0.8, "deadline.later"),
        ({"old_ms": DEADLINE_MS - 1, "deadline_ms": DEADLINE_MS + 1}, 0.8, "deadline.old"),
        ({"old_ms": DEADLINE_MS, "deadline_ms": DEADLINE_MS + 100}, 20.2, "deadline.logged"),
    ],
)
def test_the_deadline_moves_only_later_and_in_time(
    facts: dict[str, int], seconds: float, code: str, tmp_path: Path
) -> None:
    class Moved(Opening):
        def close(self) -> None:
            self.log.tick_until(0)
            super().close()

        def submit(self, bidder: Bidder) -> None:
            super().submit(bidder)
            if bidder.number == 3 and seconds > 20:
                self.move()

        def publish(self) -> None:
            super().publish()
            if seconds < 20:
                self.move()

        def move(self) -> None:
            self.at(seconds)
            self.act(4, **facts, reason="改期")

    assert_named(judged(Moved().run().members(), tmp_path), code)


def test_a_deadline_change_needs_the_supervisor(tmp_path: Path) -> None:
    class Alone(Opening):
        signers = (HOST,)

        def publish(self) -> None:
            super().publish()
            self.at(0.8)
            self.act(4, old_ms=DEADLINE_MS, deadline_ms=DEADLINE_MS + 100, reason="改期")

    assert_named(judged(Alone().run().members(), tmp_path), "act.roles")


def test_two_tenders_in_one_log_are_one_too_many(tmp_path: Path) -> None:
    class Again(Opening):
        def publish(self) -> None:
            super().publish()
            super().publish()

    assert_named(judged(Again().run().members(), tmp_path), "tender.once")
