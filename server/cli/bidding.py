"""`kaibiao keygen` and `kaibiao seal`: a bidder's own machine, no server, no network.

Invariant: what is sealed here is what the centre will take: a header that acceptance (C6) or a form
that the opening would refuse is not made in the first place. Seed and bid_nonce are drawn for one
sealing and forgotten with it (C10).
"""

import getpass
import json as jsonlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import segno

from crypto.card import card_text
from crypto.errors import Rejected
from crypto.form import encode_form, pad
from crypto.header import accept_header
from crypto.keyfile import (
    NONCE_SIZE,
    PASSPHRASE_BYTES_MAX,
    SALT_SIZE,
    KeyFile,
    create_keyfile,
    open_keyfile,
)
from crypto.keys import SEED_SIZE, random_bytes
from crypto.manifest import Manifest, parse_manifest, parse_manifest_signatures
from crypto.message_parts import FORM_ENVELOPE
from crypto.objects.common import FORM_SIZE_MAX, MANIFEST_SIZE_MAX
from crypto.sealing import Sealer
from server.cli.envelopes import read_header
from server.cli.files import Document, document, new_files, read_within, with_ending
from server.cli.padding import padded_pieces, padded_size

PASSPHRASE_MIN = 8
SMALL_FILE_MAX = 16_384
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `kaibiao seal` was told; ``lot`` None: the only one there is."""

    manifest: Path
    key: Path
    envelope: int
    file: Path
    out: Path
    lot: int | None = None
    others: tuple[Path, ...] = ()
    signatures: Path | None = None
    passphrase_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an envelope belongs."""

    lot: int
    envelope: int


class BidderLine(msgspec.Struct, forbid_unknown_fields=True):
    """Who bids: unified social credit code and name."""

    code: str
    name: str


class FormFile(msgspec.Struct, forbid_unknown_fields=True):
    """What a bidder writes for its form (开标一览表); amounts are text, days are numbers."""

    bidder: BidderLine
    fields: dict[str, str | int]
    traces: dict[str, Any] | None = None


def keygen(manifest: Path, out: Path, passphrase_file: Path | None) -> None:
    """A key file for one bidder and this tender. Raises Rejected keyfile.*, manifest.*."""
    rules = _manifest(manifest)
    with new_files(out) as (target,):
        passphrase = _passphrase(passphrase_file, is_new=True)
        raw = create_keyfile(
            passphrase,
            rules.tender_id,
            random_bytes(SEED_SIZE),
            random_bytes(SEED_SIZE),
            random_bytes(SALT_SIZE),
            random_bytes(NONCE_SIZE),
        )
        target.write(raw)
    public = jsonlib.loads(raw)
    print(f"pk  {public['pk']}\nxpk {public['xpk']}")


def seal(order: Order) -> None:
    """OUT.kbc, OUT.kbh, OUT.card.txt and OUT.card.svg, all of them or none."""
    rules = _manifest(order.manifest)
    if order.signatures is not None:
        parse_manifest_signatures(read_within(order.signatures, SMALL_FILE_MAX, "json.size"), rules)
    place = Place(_lot(rules, order.lot), order.envelope)
    is_form = rules.envelope(order.envelope).kind == "form"
    if order.others and not is_form:
        raise Rejected("form.envelope", f"--other belongs to a form, {order.envelope} is none")
    raw = read_within(order.key, SMALL_FILE_MAX, "keyfile.size")
    keys = open_keyfile(raw, _passphrase(order.passphrase_file, is_new=False))
    if keys.tender_id != rules.tender_id:
        raise Rejected("keyfile.other_tender")
    _show(rules, place, is_signed=order.signatures is not None)
    if is_form:
        plaintext = pad(_form(rules, place, keys, order))
        _seal(rules, place, keys, len(plaintext), [plaintext], order.out)
        return
    with document(order.file) as body:
        pt_len, chosen = padded_size(body.size), rules.envelope(order.envelope)
        if pt_len > chosen.pt_len_max:
            raise Rejected("header.pt_len", f"{pt_len} > {chosen.pt_len_max}")
        _seal(rules, place, keys, pt_len, _pieces(body, 1 << chosen.log2_chunk), order.out)


def _pieces(body: Document, step: int) -> Iterator[bytes]:
    """The padded document; ends in a refusal if it is not the one that was opened."""
    yield from padded_pieces(body.file, body.size, step)
    body.check_unchanged()


def _passphrase(path: Path | None, *, is_new: bool) -> str:
    if path is not None:
        raw = read_within(path, PASSPHRASE_BYTES_MAX + 2, "keyfile.passphrase_length")
        try:
            given = raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise Rejected("keyfile.passphrase", "not UTF-8") from error
    else:
        _need_terminal()
        given = getpass.getpass("Passphrase: ")
        if is_new and given != getpass.getpass("Again: "):
            raise Rejected("keyfile.passphrase_again")
    if is_new and len(given) < PASSPHRASE_MIN:
        raise Rejected("keyfile.passphrase_length", f"at least {PASSPHRASE_MIN} characters")
    return given


def _need_terminal() -> None:
    """getpass would fall back on standard input, and show what is typed there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        raise Rejected("keyfile.no_terminal", "give --passphrase-file") from error


def _manifest(path: Path) -> Manifest:
    return parse_manifest(read_within(path, MANIFEST_SIZE_MAX, "json.size"))


def _lot(rules: Manifest, asked: int | None) -> int:
    lots = [one.lot for one in rules.lots]
    if asked is None and len(lots) == 1:
        return lots[0]
    if asked not in lots:
        raise Rejected("header.lot", f"one of {lots} is needed")
    return asked


def _show(rules: Manifest, place: Place, *, is_signed: bool) -> None:
    """Before sealing everybody sees for whom, and to whom the other half goes (C17)."""
    chosen = rules.envelope(place.envelope)
    names = ", ".join(f"{t.name} ({t.organisation})" for t in rules.trustees_of(place.envelope))
    for line in (
        f"tender    {rules.number} {rules.title}",
        f"tender_id {rules.tender_id.hex()}",
        f"manifest  {'signed by its officers' if is_signed else 'signatures not checked'}",
        f"envelope  {chosen.envelope} {chosen.name}, lot {place.lot}",
        f"trustees  {chosen.t} of {len(chosen.trustees)}: {names}",
    ):
        print(line, file=sys.stderr)


def _form(rules: Manifest, place: Place, keys: KeyFile, order: Order) -> bytes:
    """The unpadded form. Raises Rejected form.file (not what a form's file holds), form.others."""
    given = _form_file(order.file)
    raw = encode_form(
        rules,
        place,
        bidder=(given.bidder.code, given.bidder.name),
        fields=given.fields,
        others=_others(rules, place, keys, order.others),
        traces=given.traces,
    )
    for name, value in given.fields.items():
        print(f"  {name:8} {value}", file=sys.stderr)
    return raw


def _form_file(path: Path) -> FormFile:
    raw = read_within(path, FORM_SIZE_MAX, "form.file")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Rejected("form.file", "a member stands there twice")
        return found

    try:
        value = jsonlib.loads(raw.decode("utf-8"), object_pairs_hook=members)
        return msgspec.convert(value, FormFile)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise Rejected("form.file", str(error)) from error


def _others(
    rules: Manifest, place: Place, keys: KeyFile, paths: Iterable[Path]
) -> list[tuple[int, bytes]]:
    """The bid's other envelopes, each one that the centre would take beside this form. The form of
    the first window names all of them; a later one names none (formats.md §4).
    """
    found: dict[int, bytes] = {}
    for path in paths:
        header = read_header(path)
        terms = rules.terms(header.envelope, keys.signing_key.public, keys.box_key.public)
        accept_header(header.raw, terms)
        if header.lot != place.lot or header.envelope in found:
            raise Rejected("form.others", f"{path.name}: lot or envelope")
        found[header.envelope] = header.bid_id
    wanted = {e.envelope for e in rules.envelopes} - {FORM_ENVELOPE}
    if found.keys() != (wanted if place.envelope == FORM_ENVELOPE else set()):
        raise Rejected("form.others", f"given {sorted(found)}, needed {sorted(wanted)}")
    return sorted(found.items())


def _seal(
    rules: Manifest,
    place: Place,
    keys: KeyFile,
    pt_len: int,
    pieces: Iterable[bytes],
    out: Path,
) -> None:
    suite = rules.suite_impl
    sealer = Sealer(
        rules.terms(place.envelope, keys.signing_key.public, keys.box_key.public),
        lot=place.lot,
        pt_len=pt_len,
        created_ms=time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS,
        bid_nonce=random_bytes(suite.bid_nonce_size),
        seed=random_bytes(suite.seed_size),
        key=keys.signing_key,
    )
    endings = (".kbc", ".kbh", ".card.txt", ".card.svg")
    names = [with_ending(out, ending) for ending in endings]
    with new_files(*names) as (payload, header_file, card, picture):
        for piece in pieces:
            payload.write(sealer.seal_chunk(piece))
        header = sealer.finish()
        header_file.write(header.raw)
        text = card_text(header.bid_id, sealer.bidder_half, suite)
        card.write(f"{text}\n".encode())
        segno.make_qr(text, error="m").save(picture, kind="svg", scale=6, light="#fff")
    print(f"bid_id {header.bid_id.hex()}")
