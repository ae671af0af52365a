"""What a bidder keeps against what is published: dropped bids, forked logs, broken promises."""

from pathlib import Path
from typing import Any

import pytest

from crypto.checkpoint import sign_checkpoint
from crypto.hashes import sha256
from crypto.messages import build_ack, build_submit
from crypto.receipts import closed_path
from tests.verifier.bundle_maker import OPENED, Bidder, Opening
from tests.verifier.judging import assert_agrees, assert_named, judged, remarks
from tests.verifier.receipt_maker import (
    SUBMIT,
    UNLOCK,
    Members,
    entry_of,
    receipt_of,
    submit_receipt,
)
from tests.verifier.tender_maker import ORIGIN, RECEIPT_KEY, signing


def test_an_honest_receipt_agrees(honest: Opening, members: Members, tmp_path: Path) -> None:
    digests = [bidder.submit.digest for bidder in honest.bidders]
    mine = honest.bidders[0]
    path = [node.hex() for node in closed_path(digests, mine.submit.digest)]
    receipt = submit_receipt(honest, mine, tmp_path, closed_path=path)
    report = judged(members, tmp_path, receipts=[receipt])
    assert_agrees(report)
    assert report.held["receipt"] > 5


def test_a_receipt_of_an_unlock_agrees(honest: Opening, members: Members, tmp_path: Path) -> None:
    raw = honest.unlock_message(honest.bidders[0])
    receipt = receipt_of(honest, raw, UNLOCK, honest.at(27.001), tmp_path)
    assert_agrees(judged(members, tmp_path, receipts=[receipt]))


def test_a_bid_the_host_dropped_is_missed_by_its_receipt(tmp_path: Path) -> None:
    class Dropping(Opening):
        """The host acknowledged bidder 3, and left it out of everything it published."""

        def close(self) -> None:
            self.dropped = self.bidders.pop()
            entry_of(self, self.dropped.submit.raw).public = False
            pk = self.dropped.key.public.hex().encode()
            next(kept for kept in self.log.kept if pk in kept.entry).public = False
            digest = self.dropped.submit.digest.hex()
            ids = [self.dropped.header(n).bid_id.hex() for n in (1, 2)]
            gone = {f"submit/{digest}.bin", *(f"headers/{one}.kbh" for one in ids)}
            self.files = {k: v for k, v in self.files.items() if k not in gone}
            super().close()

    opening = Dropping().run()
    found = opening.members()
    assert_agrees(judged(found, tmp_path))
    receipt = submit_receipt(opening, opening.dropped, tmp_path)
    assert_named(judged(found, tmp_path, receipts=[receipt]), "receipt.dropped", "closed.json")


def test_a_superseded_bid_is_not_a_dropped_one(tmp_path: Path) -> None:
    class Replacing(Opening):
        def submit(self, bidder: Bidder) -> None:
            super().submit(bidder)
            if bidder.number == 1:
                self.old = bidder.submit
                self.old_ms = self.now_ms - 1
                entry_of(self, self.old.raw).public = False
                del self.files[f"submit/{self.old.digest.hex()}.bin"]
                self.at(10.0015)
                bidder.submit = build_submit(
                    self.manifest.suite_impl,
                    tender_id=self.manifest.tender_id,
                    lot=1,
                    seq=2,
                    prev=self.old.digest,
                    items=[(n, bidder.header(n).bid_id) for n in (1, 2)],
                    key=bidder.key,
                )
                facts = {"kind": 1, "result": 0, "received_ms": self.now_ms}
                self.message_entry(5, "submit", bidder.submit.raw, **facts)

    opening = Replacing().run()
    receipt = receipt_of(opening, opening.old.raw, SUBMIT, opening.old_ms, tmp_path)
    report = judged(opening.members(), tmp_path, receipts=[receipt])
    assert_agrees(report)
    assert "receipt.superseded" in remarks(report)


def test_a_receipt_from_a_forked_log_is_named(members: Members, tmp_path: Path) -> None:
    class Fork(Opening):
        """The same opening over another tree: what one bidder was shown."""

        def publish(self) -> None:
            self.at(0.1)
            self.entry(7, checked=0, damaged=[])
            super().publish()

    other = Fork().run()
    receipt = submit_receipt(other, other.bidders[0], tmp_path)
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, "receipt.fork", "mine.receipt.json")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"message": "00"}, "receipt.message"),
        ({"ack": "00" * 154}, "ack.layout"),
        ({"checkpoint": "nothing"}, "receipt.shape"),
        ({"closed_path": ["00" * 32]}, "receipt.closed_path"),
        ({"more": 1}, "receipt.shape"),
    ],
)
def test_a_broken_receipt_is_named(
    changes: dict[str, Any], code: str, honest: Opening, members: Members, tmp_path: Path
) -> None:
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path, **changes)
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, code, "mine.receipt.json")


def test_a_receipt_by_another_host_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    raw = honest.bidders[0].submit.raw
    ack = build_ack(signing("other"), honest.manifest.tender_id, SUBMIT, sha256(raw), 0, 1)
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path, ack=ack.raw.hex())
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, "ack.signature", "mine.receipt.json")
    assert_named(report, "receipt.entry", "mine.receipt.json")


def test_a_receipt_under_another_logs_key_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    kept = entry_of(honest, honest.bidders[0].submit.raw)
    size, other = kept.index + 1, signing("other log")
    checkpoint = sign_checkpoint(ORIGIN, size, honest.log.root(size), other)
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path, checkpoint=checkpoint)
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, "receipt.checkpoint", "mine.receipt.json")
    later = honest.log.checkpoint(size + 1)
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path, checkpoint=later)
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, "receipt.proof", "mine.receipt.json")


def test_an_acknowledged_unlock_that_is_not_published_is_missed(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    raw = honest.unlock_message(honest.bidders[0])
    receipt = receipt_of(honest, raw, UNLOCK, honest.at(27.001), tmp_path)
    name = f"unlock/{sha256(raw).hex()}.bin"
    shorter = {key: value for key, value in members.items() if key != name}
    report = judged(shorter, tmp_path, receipts=[receipt])
    assert_named(report, "receipt.unpublished", name)


def test_a_receipt_for_what_is_no_message_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    raw = b"KBIDUNL1 but nothing else"
    ack = build_ack(RECEIPT_KEY, honest.manifest.tender_id, UNLOCK, sha256(raw), 0, 1)
    changes = {"ack": ack.raw.hex(), "message": raw.hex()}
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path, **changes)
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, "receipt.layout", "mine.receipt.json")


def test_a_receipt_of_another_tender_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    ack = build_ack(RECEIPT_KEY, bytes(32), SUBMIT, honest.bidders[0].submit.digest, 0, 1)
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path, ack=ack.raw.hex())
    report = judged(members, tmp_path, receipts=[receipt])
    assert_named(report, "ack.tender", "mine.receipt.json")


def test_a_withdrawal_in_the_closed_list_is_no_bid(tmp_path: Path) -> None:
    class Listed(Opening):
        def close(self) -> None:
            bidder = self.bidders[1]
            self.at(12)
            bidder.submit = build_submit(
                self.manifest.suite_impl,
                tender_id=self.manifest.tender_id,
                lot=1,
                seq=2,
                prev=bidder.submit.digest,
                items=[],
                key=bidder.key,
                kind=2,
            )
            facts = {"kind": 2, "result": 0, "received_ms": self.now_ms}
            self.message_entry(5, "submit", bidder.submit.raw, **facts)
            super().close()

    report = judged(Listed().run().members(), tmp_path)
    assert_named(report, "submit.kind")
    assert_named(report, "submit.not_closed")


def test_a_withdrawn_bid_does_not_come_back(tmp_path: Path) -> None:
    class Reviving(Opening):
        """Bidder 1 withdrew; the host counts its bid all the same."""

        def close(self) -> None:
            self.at(12)
            bidder = self.bidders[0]
            self.withdrawal = build_submit(
                self.manifest.suite_impl,
                tender_id=self.manifest.tender_id,
                lot=1,
                seq=2,
                prev=bidder.submit.digest,
                items=[],
                key=bidder.key,
                kind=2,
            ).raw
            self.withdrawn_ms = self.now_ms
            facts = {"sha256": sha256(self.withdrawal).hex(), "size": len(self.withdrawal)}
            facts |= {"kind": 2, "result": 0, "received_ms": self.now_ms}
            self.entry(5, public=False, **facts)
            super().close()

    opening = Reviving().run()
    assert opening.bidders[0].fate == OPENED
    receipt = receipt_of(opening, opening.withdrawal, 2, opening.withdrawn_ms, tmp_path)
    report = judged(opening.members(), tmp_path, receipts=[receipt])
    assert_named(report, "receipt.withdrawn", "mine.receipt.json")


def test_a_receipt_that_cannot_be_read_is_not_a_verdict(members: Members, tmp_path: Path) -> None:
    file = tmp_path / "nowhere.receipt.json"
    report = judged(members, tmp_path, receipts=[file])
    assert report.exit_code == 2
