"""What an operator could try with a finished bundle: everything it knows, every key it has."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from crypto.canonical import encode
from crypto.form import pad, unpad
from crypto.hashes import sha256
from crypto.header import Header
from crypto.keys import SigningKey
from crypto.manifest import parse_manifest
from crypto.sealing import content_key, open_payload
from crypto.stream import encrypt_chunk
from server.reports.bundle import archive


def members_of(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle.read_bytes())) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def written(members: dict[str, bytes], key: SigningKey, into: Path) -> Path:
    """A bundle of these members, with a true index under the receipt key's own signature."""
    kept = {n: raw for n, raw in members.items() if n not in ("index.json", "index.sig")}
    tender_id = parse_manifest(kept["manifest.json"], allow_test=True).tender_id
    into.write_bytes(archive(kept, tender_id, key.sign))
    return into


def with_another_price(
    bundle: Path, header: Header, halves: tuple[bytes, bytes], price: str
) -> dict[str, bytes]:
    """The bundle's members with one form opened, edited and sealed again under its own key.

    After the opening the operator knows both halves, so it can encrypt any form it likes, and write
    frozen.json and readout.json to fit.
    """
    members = members_of(bundle)
    name = f"forms/{header.bid_id.hex()}.kbc"
    key = content_key(header, *halves)
    assert key is not None
    form: dict[str, Any] = json.loads(unpad(open_payload(header, key, members[name])))
    form["fields"]["price"] = price
    edited = encode(form)
    padded = pad(edited)
    assert len(padded) == header.pt_len
    members[name] = encrypt_chunk(key.cipher, 0, 1, padded)
    frozen = json.loads(members["frozen.json"])
    for bid in frozen["bids"]:
        if bid["bid_id"] == header.bid_id.hex():
            bid["form_sha256"] = sha256(edited).hex()
    readout = json.loads(members["readout.json"])
    for row in readout["rows"]:
        if row["bid_id"] == header.bid_id.hex():
            row["fields"]["price"] = price
    return members | {"frozen.json": encode(frozen), "readout.json": encode(readout)}
