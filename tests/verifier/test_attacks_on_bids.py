"""Bids edited, exchanged or forged: each dies at its own check, whoever signed the index."""

from pathlib import Path

import pytest

from crypto.hashes import blake2b_512, sha256
from crypto.header import parse_header
from crypto.sealing import Sealed, content_key
from tests.verifier.bundle_maker import LOCKED, OPENED, Bidder, Opening, form_name, header_name
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.tender_maker import box


class TwoOpened(Opening):
    fates = (OPENED, OPENED)


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


def test_a_submission_edited_by_the_host_is_not_signed(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    raw = honest.bidders[1].submit.raw
    name = f"submit/{sha256(raw).hex()}.bin"
    changed = raw[:75] + b"\2" + raw[76:]
    report = judged(members | {name: changed}, tmp_path)
    assert_named(report, "submit.name", name)
    assert_named(report, "submit.signature", name)


def test_a_locked_bid_is_never_opened_by_the_verifier(
    honest: Opening, members: dict[str, bytes], tmp_path: Path
) -> None:
    assert honest.bidders[1].fate == LOCKED
    name = form_name(honest, 1)
    report = judged(members | {name: honest.bidders[1].form.payload}, tmp_path)
    assert_named(report, "form.extra", name)
