"""Bids slipped in late, listed twice or left out of the closed list."""

from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import decode, encode
from crypto.messages import build_submit
from crypto.receipts import closed_list_root
from tests.verifier.bundle_maker import Bidder, Opening, form_name, header_name
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.tender_maker import DEADLINE_MS


def test_a_removed_bidder_breaks_the_closed_list(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    digest = honest.bidders[0].submit.digest.hex()
    gone = {f"submit/{digest}.bin", header_name(honest, 0), form_name(honest, 0)}
    kept: list[str] = [
        one.submit.digest.hex() for one in honest.bidders if one.submit.digest.hex() != digest
    ]
    shorter = {name: raw for name, raw in members.items() if name not in gone}
    report = judged(shorter | {"closed.json": encode({"submits": sorted(kept)})}, tmp_path)
    assert_named(report, "closed.root", "closed.json")
    assert_named(report, "closed.count", "closed.json")
    assert_named(report, "submit.not_closed", "log/entries.jsonl")


class Late(Opening):
    """Bidder 3 slips in after the closing, with the help of the log key."""

    received_ms = DEADLINE_MS - 1
    claimed_ms: int | None = None

    def submit(self, bidder: Bidder) -> None:
        if bidder.number != 3:
            super().submit(bidder)

    def close(self) -> None:
        late = self.bidders[2]
        entry, self.entry = self.entry, lambda *_, **__: None  # type: ignore[method-assign]
        super().submit(late)
        self.entry = entry  # type: ignore[method-assign]
        super().close()
        self.at(22.5)
        members = {"tender_id": self.manifest.tender_id.hex(), "size": len(late.submit.raw)}
        members |= {"kind": 1, "result": 0, "received_ms": self.received_ms}
        members |= {"sha256": late.submit.digest.hex()}
        self.log.tick_until(self.now_ms)
        self.log.add_now(5, members | {"server_ms": self.claimed_ms or self.now_ms})


def test_a_bid_slipped_in_after_the_closing_is_named(tmp_path: Path) -> None:
    opening = Late().run()
    name = f"submit/{opening.bidders[2].submit.digest.hex()}.bin"
    assert_named(judged(opening.members(), tmp_path), "submit.after_closing", name)


def test_a_back_dated_entry_does_not_fit_its_second(tmp_path: Path) -> None:
    class BackDated(Late):
        claimed_ms = DEADLINE_MS - 1

    assert_named(judged(BackDated().run().members(), tmp_path), "entries.server_ms")


def test_a_bid_received_at_the_deadline_is_late(tmp_path: Path) -> None:
    class AtDeadline(Late):
        received_ms = DEADLINE_MS

    opening = AtDeadline().run()
    name = f"submit/{opening.bidders[2].submit.digest.hex()}.bin"
    assert_named(judged(opening.members(), tmp_path), "submit.late", name)


def test_a_bid_decided_long_after_the_deadline_is_named(tmp_path: Path) -> None:
    class Slow(Opening):
        """Bidder 3 was in time, it is said, but logged 10.5 s after the deadline."""

        def at(self, seconds: float) -> int:
            if seconds == 10 + 3 / 1000:
                return super().at(30.5)
            return super().at(seconds + 12 if seconds >= 20.4 else seconds)

        def message_entry(self, entry_type: int, folder: str, raw: bytes, **members: Any) -> Any:
            if entry_type == 5:
                members["received_ms"] = min(members["received_ms"], DEADLINE_MS - 1)
            return super().message_entry(entry_type, folder, raw, **members)

    opening = Slow().run()
    name = f"submit/{opening.bidders[2].submit.digest.hex()}.bin"
    report = judged(opening.members(), tmp_path)
    assert_named(report, "submit.decided", name)
    assert codes(report) == {"submit.decided"}


def test_two_bids_of_one_bidder_for_one_lot_do_not_both_count(tmp_path: Path) -> None:
    class Twice(Opening):
        def register(self, number: int, fate: str) -> None:
            super().register(number, fate)
            if number == 2:
                self.bidders[1].key = self.bidders[0].key
                self.bidders[1].box_key = self.bidders[0].box_key

    assert_named(judged(Twice().run().members(), tmp_path), "submit.chain")


def test_an_envelope_listed_twice_is_named(tmp_path: Path) -> None:
    class Shared(Opening):
        """Bidder 2 submits bidder 1's envelopes under its own signature (Helios ballot copying)."""

        def submit(self, bidder: Bidder) -> None:
            super().submit(bidder)
            if bidder.number == 2:
                copied = self.bidders[0]
                forged = build_submit(
                    self.manifest.suite_impl,
                    tender_id=self.manifest.tender_id,
                    lot=1,
                    seq=2,
                    prev=bidder.submit.digest,
                    items=[(n, copied.header(n).bid_id) for n in (1, 2)],
                    key=bidder.key,
                )
                bidder.submit = forged
                self.message_entry(
                    5, "submit", forged.raw, kind=1, result=0, received_ms=self.now_ms
                )

    report = judged(Shared().run().members(), tmp_path)
    assert_named(report, "submit.listed")
    assert_named(report, "header.submit")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"count": 4}, "closed.count"),
        ({"deadline_ms": DEADLINE_MS + 1}, "closed.deadline"),
        ({"list_root": closed_list_root([]).hex()}, "closed.root"),
        ({"server_ms": DEADLINE_MS - 1}, "closed.early"),
    ],
)
def test_a_closing_that_says_something_else_is_named(
    change: dict[str, Any], code: str, tmp_path: Path
) -> None:
    class Other(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            return super().entry(
                entry_type, public=public, **members | (change if entry_type == 6 else {})
            )

    if "server_ms" in change:
        Other.at = lambda self, s: Opening.at(self, 19.8 if s == 20.4 else s)  # type: ignore[method-assign]
        change = {}
    assert_named(judged(Other().run().members(), tmp_path), code)


@pytest.mark.parametrize("folder", ["submit", "headers"])
def test_a_bid_of_no_counting_bidder_is_an_extra(
    folder: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    ending = "bin" if folder == "submit" else "kbh"
    name = f"{folder}/{'ab' * 32}.{ending}"
    assert_named(judged(members | {name: b"x"}, tmp_path), "closed.extra", name)


def test_dropping_an_entry_of_a_bid_is_named(members: dict[str, bytes], tmp_path: Path) -> None:
    lines = members["log/entries.jsonl"].splitlines(keepends=True)
    entries = [bytes.fromhex(decode_line(line)["entry"]) for line in lines]
    place = next(k for k, entry in enumerate(entries) if entry[16] == 5)
    shorter = b"".join(lines[:place] + lines[place + 1 :])
    report = judged(members | {"log/entries.jsonl": shorter}, tmp_path)
    assert_named(report, "submit.logged")


def decode_line(line: bytes) -> Any:
    return decode(line.rstrip(b"\n"), size_max=1 << 16, depth_max=4)
