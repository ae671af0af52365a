"""The form (开标一览表): what a form envelope holds, from padded bytes to checked values.

Invariant: a form is read only from bytes that are their own canonical form, with exactly the
fields of the manifest, naming exactly the other envelopes of its SUBMIT; anything else is refused,
and the bid is ``malformed`` (C3). Money is fen, a rate counts units of its last digit. Norm:
sealing.md C18; formats.md §4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from crypto.canonical import INTEGER_MAX, Json
from crypto.errors import Rejected
from crypto.formats import decode_document, encode_document
from crypto.hashes import sha256
from crypto.manifest import Manifest
from crypto.manifest_parts import Field
from crypto.objects.common import FORM_PT_LEN_MAX
from crypto.text import check_days, check_text, parse_money, parse_rate

FORM_BLOCK = 4096

Other = tuple[int, bytes]  # envelope, bid_id


class Place(Protocol):
    """Where a form was found: a header has both."""

    @property
    def lot(self) -> int: ...
    @property
    def envelope(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A checked form. ``raw`` is its unpadded JCS, ``sha256`` the hash frozen.json names.

    ``fields`` are as written (amounts are text), ``values`` are what they say: money in fen, rates
    in units of their last digit, days, text.
    """

    raw: bytes = field(repr=False)
    sha256: bytes
    members: dict[str, Json] = field(repr=False)
    bidder_code: str
    bidder_name: str
    lot: int
    fields: Mapping[str, str | int]
    values: Mapping[str, str | int]
    decisive: int | str
    """the value of the field that decides"""


def pad(data: bytes, block: int = FORM_BLOCK) -> bytes:
    """sodium_pad: one byte 80, then zeros up to a multiple of ``block``; always longer."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def unpad(padded: bytes, block: int = FORM_BLOCK) -> bytes:
    """What ``pad`` was given. Code: ``form.padding``."""
    if not padded or len(padded) % block:
        raise Rejected("form.padding", "length")
    # Only the last block may hold padding; zeros before the mark belong to the data. Found and
    # compared in one piece each: rstrip looks at every zero by itself, 11 us a form.
    mark = padded.rfind(b"\x80", len(padded) - block)
    if mark < 0 or padded[mark + 1 :] != bytes(len(padded) - mark - 1):
        raise Rejected("form.padding", "mark")
    return padded[:mark]


def encode_form(
    manifest: Manifest,
    place: Place,
    *,
    bidder: tuple[str, str],
    fields: Mapping[str, str | int],
    others: Sequence[Other],
    traces: Mapping[str, Json] | None = None,
) -> bytes:
    """The unpadded JCS of a form; ``bidder`` is (code, name). Refused here if it would be
    malformed at the opening.
    """
    value: dict[str, Json] = {
        "bidder": {"code": bidder[0], "name": bidder[1]},
        "fields": dict(fields),
        "format": 1,
        "lot": place.lot,
        "others": [
            {"bid_id": bid_id.hex(), "envelope": envelope} for envelope, bid_id in sorted(others)
        ],
    }
    if traces is not None:
        value["traces"] = dict(traces)
    raw = encode_document("Form", value)
    parse_form(raw, manifest, place, others)
    return raw


def parse_padded_form(
    padded: bytes, manifest: Manifest, place: Place, others: Sequence[Other]
) -> Form:
    """``parse_form`` of an envelope's plaintext. Codes: ``form.padding`` and parse_form's."""
    if len(padded) > FORM_PT_LEN_MAX:
        raise Rejected("form.padding", "length")
    return parse_form(unpad(padded), manifest, place, others)


def parse_form(raw: bytes, manifest: Manifest, place: Place, others: Sequence[Other]) -> Form:
    """The form whose unpadded bytes are ``raw``.

    ``place``: lot and envelope number of its header. ``others``: the other (envelope, bid_id) of
    its SUBMIT if this is envelope 1; a later form names none.
    Codes: ``form.envelope`` (a body), those of canonical and schema, ``form.traces``,
    ``form.lot``, ``form.others``, ``form.fields`` (not the manifest's names),
    ``form.field_type``, and ``money.*``, ``rate.*``, ``days.*``, ``text.*``.
    """
    envelope = manifest.envelope(place.envelope)
    if envelope.kind != "form":
        raise Rejected("form.envelope", str(place.envelope))
    value = cast("dict[str, Any]", decode_document("Form", raw))
    if ("traces" in value) != manifest.traces:
        raise Rejected("form.traces")
    if value["lot"] != place.lot:
        raise Rejected("form.lot", str(value["lot"]))
    named = [(other["envelope"], bytes.fromhex(other["bid_id"])) for other in value["others"]]
    if named != (sorted(others) if place.envelope == 1 else []):
        raise Rejected("form.others")
    fields: dict[str, Json] = value["fields"]
    values = _field_values(envelope.fields, fields)
    decisive = next(each.name for each in envelope.fields if each.decides)
    return Form(
        raw=raw,
        sha256=sha256(raw),
        members=value,
        bidder_code=value["bidder"]["code"],
        bidder_name=value["bidder"]["name"],
        lot=value["lot"],
        fields=cast("dict[str, str | int]", fields),
        values=values,
        decisive=values[decisive],
    )


def _field_values(schema: Sequence[Field], fields: dict[str, Json]) -> dict[str, str | int]:
    names = {each.name for each in schema}
    needed = {each.name for each in schema if not each.optional}
    if not needed <= fields.keys() <= names:
        raise Rejected("form.fields", ", ".join(sorted(names ^ fields.keys()))[:100])
    return {each.name: _value(each, fields[each.name]) for each in schema if each.name in fields}


def _value(of: Field, written: Json) -> str | int:
    if of.type == "days":
        if isinstance(written, bool) or not isinstance(written, int):
            raise Rejected("form.field_type", of.name)
        return check_days(written, min(of.max, INTEGER_MAX))
    if not isinstance(written, str):
        raise Rejected("form.field_type", of.name)
    match of.type:
        case "money":
            return parse_money(written)
        case "rate":
            return parse_rate(written, of.digits)
        case "text":
            return check_text(written, 1, of.max)
