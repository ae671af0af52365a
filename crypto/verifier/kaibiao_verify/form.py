"""The form (开标一览表): strict reading of an opened envelope 1, sealing C18, formats §4.

Invariant: a form is read only from bytes that are their own canonical spelling and padding, with
exactly the fields of the manifest and exactly the other envelopes of its SUBMIT.
"""

from __future__ import annotations

from typing import Any

from .bids import Bid
from .jcs import NotCanonical, read
from .manifest import Manifest
from .primitives.hashes import sha256
from .schema import (
    Shape,
    WrongShape,
    array,
    choice,
    hexadecimal,
    integer,
    pattern,
    record,
    text,
)
from .wording import is_money, is_rate

BLOCK = 4096
FORM_MAX = 60_000
DEPTH_MAX = 4
_TRACE = text(0, 128)
_TRACES = record(
    deposit_account=_TRACE,
    file_id=_TRACE,
    lock_numbers=array(_TRACE, 0, 8),
    machine_code=_TRACE,
)


def unpad(padded: bytes) -> bytes | None:
    """What sodium_pad to 4096 was given, or None: 80, then zeros, in the last block only."""
    if not padded or len(padded) % BLOCK:
        return None
    last = padded[-BLOCK:].rstrip(b"\0")
    return padded[:-BLOCK] + last[:-1] if last.endswith(b"\x80") else None


def _field(field: dict[str, Any]) -> Shape:
    """The shape of one field's value by its type in the manifest."""
    kind = field["type"]
    if kind == "days":
        return integer(1, field["max"])
    if kind == "text":
        return text(1, field["max"])

    def amount(value: Any, where: str) -> None:
        lawful = isinstance(value, str) and (
            is_money(value) if kind == "money" else is_rate(value, field["digits"])
        )
        if not lawful:
            raise WrongShape(where, f"a {kind} in its one spelling", value)

    return amount


def read_form(raw: bytes, manifest: Manifest, bid: Bid) -> dict[str, Any]:
    """The form that the unpadded bytes are.

    Raises NotCanonical or WrongShape: the bid is then `malformed`. The organisation code must be
    the one whose hash was registered: a form cannot be written in another's name.
    """
    header = bid.header
    envelope = manifest.envelope(header.envelope)
    assert envelope is not None
    fields = {one["name"]: _field(one) for one in envelope["fields"]}
    optional = [one["name"] for one in envelope["fields"] if one["optional"]]
    others = bid.others if header.envelope == 1 else []
    members: dict[str, Shape] = {
        "bidder": record(code=pattern("[0-9A-Z]{18}"), name=text(1, 200)),
        "fields": record(optional, **fields),
        "format": choice(1),
        "lot": choice(header.lot),
        "others": array(
            record(bid_id=hexadecimal(32), envelope=integer(1)), len(others), len(others)
        ),
    }
    if manifest["traces"]:
        members["traces"] = _TRACES
    value: Any = read(raw, size_max=FORM_MAX, depth_max=DEPTH_MAX)
    record(**members)(value, "")
    named = [(one["envelope"], bytes.fromhex(one["bid_id"])) for one in value["others"]]
    if named != others:
        raise WrongShape("others", "the other envelopes of its SUBMIT", named)
    code = sha256(value["bidder"]["code"].encode("ascii"))
    if code != bid.registration.org_sha256:
        raise WrongShape("bidder.code", "the registered organisation", value["bidder"]["code"])
    return value


def open_form(
    plaintext: bytes, manifest: Manifest, bid: Bid
) -> tuple[dict[str, Any], bytes] | None:
    """The form and its unpadded bytes, or None if the bid is malformed."""
    raw = unpad(plaintext)
    if raw is None:
        return None
    try:
        return read_form(raw, manifest, bid), raw
    except (NotCanonical, WrongShape):
        return None
