"""`kaibiao keygen` and `kaibiao seal`: a bidder's own machine, no server, no network."""

import getpass
import json as jsonlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from crypto.card import card_text
from crypto.errors import Rejected
from crypto.form import encode_form, pad
from crypto.keyfile import NONCE_SIZE, SALT_SIZE, KeyFile, create_keyfile, open_keyfile
from crypto.keys import random_bytes
from crypto.manifest import Manifest, parse_manifest
from crypto.sealing import Sealer
from server.cli.bytes import BODY_BLOCK, read_header

SEED_BYTES = 32
PASSPHRASE_MIN = 8


def _passphrase(path: Path | None, *, new: bool) -> str:
    if path is not None:
        return path.read_text(encoding="utf-8").strip("\r\n")
    first = getpass.getpass("Passphrase: ")
    if new and first != getpass.getpass("Again: "):
        raise Rejected("keyfile.passphrase_again")
    return first


def _manifest(path: Path) -> Manifest:
    return parse_manifest(path.read_bytes())


def _write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Never over an existing file: it may be the only key to a bid."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def keygen(manifest: Path, out: Path, passphrase_file: Path | None) -> None:
    rules = _manifest(manifest)
    passphrase = _passphrase(passphrase_file, new=True)
    if len(passphrase) < PASSPHRASE_MIN:
        raise Rejected("keyfile.passphrase_length")
    raw = create_keyfile(
        passphrase,
        rules.tender_id,
        random_bytes(SEED_BYTES),
        random_bytes(SEED_BYTES),
        random_bytes(SALT_SIZE),
        random_bytes(NONCE_SIZE),
    )
    _write_new(out, raw)
    public = jsonlib.loads(raw)
    print(f"pk  {public['pk']}\nxpk {public['xpk']}")


def seal(
    manifest: Path,
    key: Path,
    envelope: int,
    file: Path,
    out: Path,
    lot: int,
    others: list[Path],
    passphrase_file: Path | None,
) -> None:
    rules = _manifest(manifest)
    keys = open_keyfile(key.read_bytes(), _passphrase(passphrase_file, new=False))
    if keys.tender_id != rules.tender_id:
        raise Rejected("keyfile.other_tender")
    if lot not in {one.lot for one in rules.lots}:
        raise Rejected("header.lot", str(lot))
    _show_trustees(rules, envelope)
    if rules.envelope(envelope).kind == "form":
        plaintext = _form(rules, lot, envelope, file, others)
        _seal_chunks(rules, keys, envelope, lot, len(plaintext), iter([plaintext]), out)
        return
    size = file.stat().st_size
    padded = size + BODY_BLOCK - size % BODY_BLOCK
    if padded > rules.envelope(envelope).pt_len_max:
        raise Rejected("header.pt_len", str(padded))
    step = 1 << rules.envelope(envelope).log2_chunk
    _seal_chunks(rules, keys, envelope, lot, padded, _padded_chunks(file, size, padded, step), out)


def _show_trustees(rules: Manifest, envelope: int) -> None:
    """Before sealing everybody sees to whom the other half goes (C17)."""
    chosen = rules.envelope(envelope)
    names = ", ".join(f"{t.name} ({t.organisation})" for t in rules.trustees_of(envelope))
    print(f"{rules.title}: {chosen.t} of {len(chosen.trustees)} trustees: {names}", file=sys.stderr)


class _Place:
    def __init__(self, lot: int, envelope: int) -> None:
        self.lot, self.envelope = lot, envelope


def _form(rules: Manifest, lot: int, envelope: int, file: Path, others: list[Path]) -> bytes:
    given = jsonlib.loads(file.read_text(encoding="utf-8"))
    headers = [read_header(path) for path in others]
    raw = encode_form(
        rules,
        _Place(lot, envelope),
        bidder=(given["bidder"]["code"], given["bidder"]["name"]),
        fields=given["fields"],
        others=[(header.envelope, header.bid_id) for header in headers],
        traces=given.get("traces"),
    )
    return pad(raw)


def _padded_chunks(file: Path, size: int, padded: int, step: int) -> Iterator[bytes]:
    """The file in chunks of the sealing, its padding behind it; a file that shrinks is refused."""
    done = 0
    with file.open("rb") as source:
        while done < padded:
            length = min(step, padded - done)
            part = source.read(min(length, size - done)) if done < size else b""
            if done + len(part) == size and len(part) < length:
                part += b"\x80" + bytes(length - len(part) - 1) if done <= size else bytes(length)
            if done > size:
                part = bytes(length)
            if len(part) != length:
                raise Rejected("seal.file_changed")
            yield part
            done += length


def _seal_chunks(
    rules: Manifest,
    keys: KeyFile,
    envelope: int,
    lot: int,
    pt_len: int,
    chunks: Iterator[bytes],
    out: Path,
) -> None:
    suite = rules.suite_impl
    sealer = Sealer(
        rules.terms(envelope, keys.signing_key.public, keys.box_key.public),
        lot=lot,
        pt_len=pt_len,
        created_ms=int(time.time()) // 60 * 60_000,
        bid_nonce=random_bytes(suite.bid_nonce_size),
        seed=random_bytes(suite.seed_size),
        key=keys.signing_key,
    )
    payload = out.with_name(out.name + ".kbc")
    handle = os.open(payload, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target:
        for chunk in chunks:
            target.write(sealer.seal_chunk(chunk))
        target.flush()
        os.fsync(target.fileno())
    header = sealer.finish()
    card = card_text(header.bid_id, sealer.bidder_half, suite)
    _write_new(out.with_name(out.name + ".kbh"), header.raw)
    _write_new(out.with_name(out.name + ".card.txt"), (card + "\n").encode())
    print(f"bid_id {header.bid_id.hex()}")
