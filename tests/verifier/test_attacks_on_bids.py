"""Bids added, dropped, edited or forged: each dies at its own check, whoever signed the index."""

from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import decode, encode
from crypto.hashes import blake2b_512, sha256
from crypto.header import parse_header
from crypto.messages import build_submit
from crypto.receipts import closed_list_root
from crypto.registration import bind_message, organisation_hash
from crypto.sealing import Sealed, content_key
from tests.verifier.bundle_maker import LOCKED, OPENED, Bidder, Opening
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.tender_maker import DEADLINE_MS, EXPIRY_MS, HOST, box, signing


class TwoOpened(Opening):
    fates = (OPENED, OPENED)


def form_name(opening: Opening, bidder: int) -> str:
    return f"forms/{opening.bidders[bidder].form.header.bid_id.hex()}.kbc"


def header_name(opening: Opening, bidder: int) -> str:
    return f"headers/{opening.bidders[bidder].form.header.bid_id.hex()}.kbh"


def test_an_edited_price_in_the_read_out_fails_on_the_opened_form(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    edited = members["readout.json"].replace(b'"71000001.00"', b'"61000001.00"')
    assert edited != members["readout.json"]
    report = judged(members | {"readout.json": edited}, tmp_path)
    assert_named(report, "readout.row", "readout.json")
    assert_named(report, "readout.logged", "readout.json")


def test_an_edited_price_in_log_and_lists_fails_on_the_bidders_commitments(tmp_path: Path) -> None:
    class Liar(Opening):
        """Host and log key together: a lower price is frozen, read out and logged."""

        def states(self) -> dict[bytes, tuple[str, bytes | None]]:
            return {
                bid_id: (state, raw and raw.replace(b'"71000001.00"', b'"61000001.00"'))
                for bid_id, (state, raw) in super().states().items()
            }

    report = judged(Liar().run().members(), tmp_path)
    assert_named(report, "readout.row", "readout.json")
    assert_named(report, "frozen.form", "frozen.json")
    assert codes(report) == {"readout.row", "frozen.form"}, "everything else was made to agree"


def test_a_form_encrypted_again_with_its_own_key_fails_on_ct_root(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    bidder = honest.bidders[0]
    key = content_key(bidder.form.header, bidder.form.bidder_half, bidder.form.host_half)
    assert key is not None
    plain = honest.plaintext(bidder).replace(b'"71000001.00"', b'"61000001.00"')
    name = form_name(honest, 0)
    report = judged(members | {name: key.cipher.seal(0, True, plain)}, tmp_path)
    assert_named(report, "form.ct_root", name)


def test_swapped_forms_fail_on_both_roots(tmp_path: Path) -> None:
    opening = TwoOpened().run()
    found = opening.members()
    first, second = form_name(opening, 0), form_name(opening, 1)
    report = judged(found | {first: found[second], second: found[first]}, tmp_path)
    assert_named(report, "form.ct_root", first)
    assert_named(report, "form.ct_root", second)


def test_a_header_that_fits_another_ciphertext_is_not_the_bidders(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    name = header_name(honest, 0)
    raw = bytearray(members[name])
    raw[288:320] = sha256(b"another root")
    report = judged(members | {name: bytes(raw)}, tmp_path)
    assert_named(report, "header.name", name)
    assert_named(report, "header.rules", name)


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


def test_a_header_sealed_to_a_private_trustee_is_refused(tmp_path: Path) -> None:
    class Private(Opening):
        def seal(self, bidder: Bidder, envelope: int, plaintext: bytes) -> Sealed:
            sealed = super().seal(bidder, envelope, plaintext)
            if bidder.number != 2 or envelope != 1:
                return sealed
            raw = bytearray(sealed.header.raw[:-64])
            raw[404 + 144 : 404 + 176] = box("a friend").public
            signature = bidder.key.sign(b"KBID1 header\0" + blake2b_512(bytes(raw)))
            header = parse_header(bytes(raw) + signature)
            return Sealed(header, sealed.payload, sealed.bidder_half, sealed.host_half)

    opening = Private().run()
    assert_named(judged(opening.members(), tmp_path), "header.rules", header_name(opening, 1))


class BadDealing(Opening):
    """Bidder 1 deals trustee 3 a spoiled box; 1 and 2 alone would recover s_H."""

    verdict = "malformed"

    def seal(self, bidder: Bidder, envelope: int, plaintext: bytes) -> Sealed:
        sealed = super().seal(bidder, envelope, plaintext)
        if bidder.number != 1 or envelope != 1:
            return sealed
        raw = bytearray(sealed.header.raw[:-64])
        raw[-1] ^= 1
        signature = bidder.key.sign(b"KBID1 header\0" + blake2b_512(bytes(raw)))
        header = parse_header(bytes(raw) + signature)
        return Sealed(header, sealed.payload, sealed.bidder_half, sealed.host_half)

    def states(self) -> dict[bytes, tuple[str, bytes | None]]:
        found = super().states()
        bid_id = self.bidders[0].form.header.bid_id
        return found | {
            bid_id: (self.verdict, found[bid_id][1] if self.verdict == OPENED else None)
        }


@pytest.mark.parametrize("releasing", [(1, 2), (1, 3), (2, 3), (1, 2, 3)])
def test_a_bad_dealing_gives_no_pair_of_trustees_another_verdict(
    releasing: tuple[int, ...], tmp_path: Path
) -> None:
    class Pair(BadDealing):
        pass

    Pair.releasing = releasing
    if 3 in releasing and len(releasing) == 2:
        Pair.verdict = "unrecoverable"  # Only one readable box: nothing is known of the bid.
        opening = Pair().run()
        found = {k: v for k, v in opening.members().items() if k != form_name(opening, 0)}
    else:
        found = Pair().run().members()
    assert judged(found, tmp_path).verdict == "agree"


def test_a_bad_dealing_called_opened_is_a_misjudged_bid(tmp_path: Path) -> None:
    class Favoured(BadDealing):
        verdict = OPENED

    assert_named(judged(Favoured().run().members(), tmp_path), "frozen.state", "frozen.json")


def test_a_form_in_another_organisations_name_is_malformed(tmp_path: Path) -> None:
    class Posing(Opening):
        def register(self, number: int, fate: str) -> None:
            super().register(number, fate)
            if number == 1:
                self.bidders[0].number = 9  # Its form will name organisation 9.

    assert_named(judged(Posing().run().members(), tmp_path), "frozen.state", "frozen.json")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sig": "00" * 64}, "registration.owner"),
        ({"org_sha256": "11" * 32}, "registration.owner"),
        ({"expiry_ms": EXPIRY_MS + 1}, "registration.owner"),
        ({"bidder_xpk": "01" + "00" * 31}, "registration.box_key"),
    ],
)
def test_a_forged_registration_does_not_count(
    change: dict[str, Any], code: str, tmp_path: Path
) -> None:
    class Forged(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 3 and len(self.bidders) == 1:
                members |= change
            return super().entry(entry_type, public=public, **members)

    report = judged(Forged().run().members(), tmp_path)
    assert_named(report, code)
    assert "sig" in change or "registration.invitation" in codes(report)


def test_a_key_that_had_expired_does_not_submit(tmp_path: Path) -> None:
    class Expired(Opening):
        registration_expiry_ms = DEADLINE_MS - 15_000

    assert_named(judged(Expired().run().members(), tmp_path), "registration.expiry")


def test_an_invitation_by_another_key_is_named(tmp_path: Path) -> None:
    class Intruder(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 3:
                members["binding"] = members["binding"] | {"pk": HOST.public.hex()}
            return super().entry(entry_type, public=public, **members)

    assert_named(judged(Intruder().run().members(), tmp_path), "registration.inviter")


def test_a_registration_without_a_counting_bid_is_not_published(tmp_path: Path) -> None:
    class Curious(Opening):
        def close(self) -> None:
            self.at(15)
            key, xpk, org = signing("loser"), box("loser").public, organisation_hash("9" * 18)
            claims = (self.manifest.tender_id, key.public, xpk, EXPIRY_MS, org)
            self.entry(
                3,
                bidder_pk=key.public.hex(),
                bidder_xpk=xpk.hex(),
                org_sha256=org.hex(),
                expiry_ms=EXPIRY_MS,
                sig=key.sign(bind_message(*claims)).hex(),
                binding={"kind": "certificate", "chain_sha256": "00" * 32, "sig": "00" * 64},
            )
            super().close()

    assert_named(judged(Curious().run().members(), tmp_path), "registration.counts")


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


def test_a_submission_edited_by_the_host_is_not_signed(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    raw = honest.bidders[1].submit.raw
    name = f"submit/{sha256(raw).hex()}.bin"
    changed = raw[:75] + b"\2" + raw[76:]
    report = judged(members | {name: changed}, tmp_path)
    assert_named(report, "submit.name", name)
    assert_named(report, "submit.signature", name)


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


def test_a_locked_bid_is_never_opened_by_the_verifier(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    assert honest.bidders[1].fate == LOCKED
    name = form_name(honest, 1)
    report = judged(members | {name: honest.bidders[1].form.payload}, tmp_path)
    assert_named(report, "form.extra", name)
