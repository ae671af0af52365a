"""The header of a sealed envelope (`.kbh`): layout, parsing, and acceptance (验收) by C6.

Invariant: the layout is computed from the suite; for nacl-1 it is the table of sealing.md 4.2.
Every range is checked before any shift, allocation or signature. `accept_header` is the one
function by which server, trustee and tools accept a header; that its AD is new in the tender is
the caller's to check, because only the caller remembers the others.

Checks happen in this order, and the first that fails names the code:
`parse_core`, `parse_header`: header.length (too short to tell), header.magic, header.version,
header.suite or suite.unknown, header.length (core, fixed part), header.threshold, header.zero,
header.length, header.log2_chunk, header.n_chunks, header.box_key, header.trustees.
`accept_header` then: header.tender, header.lot, header.envelope, header.bidder, header.bidder_xpk,
header.log2_chunk, header.threshold, header.trustees, header.pt_len, header.signature.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from crypto.errors import Rejected
from crypto.hashes import Octets
from crypto.layout import (
    CORE_FIELDS,
    FIXED_FIELDS,
    MAGIC,
    SUITE_AT,
    TRUSTEES_MAX,
    VERSION,
    layout_of,
)
from crypto.schedule import associated_data, bid_id_of
from crypto.stream import chunk_count, ciphertext_size
from crypto.suites import Suite, get_suite

LOG2_CHUNK_MIN: Final = 16
LOG2_CHUNK_MAX: Final = 20
FORM_PAD: Final = 4096
FORM_SIZE_MAX: Final = 65_536
BODY_PAD: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The first part of a header, by the field names of the specification."""

    suite: Suite
    core: bytes = field(repr=False)
    """the bytes themselves"""
    header_len: int
    tender_id: bytes
    lot: int
    envelope: int
    bidder_pk: bytes
    bidder_xpk: bytes
    bid_nonce: bytes
    created_ms: int
    pt_len: int
    log2_chunk: int
    n_chunks: int
    ad: bytes

    @property
    def payload_size(self) -> int:
        """Bytes of the payload that belongs to it."""
        return ciphertext_size(self.suite, self.pt_len, self.log2_chunk)


@dataclass(frozen=True, slots=True)
class TrusteeBox:
    """One trustee's row: public key and sealed share."""

    xpk: bytes
    box: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Core):
    """A whole header. `raw` are its bytes; bid_id covers all of them."""

    raw: bytes = field(repr=False)
    c_B: bytes
    c_H: bytes
    c_K: bytes
    c_P: bytes
    ct_root: bytes
    box_B: bytes
    t: int
    n: int
    trustees: tuple[TrusteeBox, ...]
    sig: bytes
    bid_id: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process of ours it goes as its bytes, and is read there once."""
        return _read_once, (self.raw, self.suite)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeTerms:
    """What manifest and registration say about one bidder's envelope of one number."""

    suite: Suite
    tender_id: bytes
    lots: Collection[int]
    """lots that this bidder may bid for: those of the manifest"""
    envelope: int
    kind: Literal["form", "body"]
    log2_chunk: int
    pt_len_max: int
    t: int
    trustee_xpks: tuple[bytes, ...]
    """in the manifest's order, which is the header's"""
    demo: bool
    """whether t = n is allowed"""
    bidder_pk: bytes
    bidder_xpk: bytes


def core_size(suite: Suite) -> int:
    """Bytes of the core, which an upload declares first."""
    return layout_of(suite).core.size


def parse_core(raw: Octets, suite: Suite | None = None) -> Core:
    """The core alone: exactly `core_size` bytes. With `suite` given, only that suite is taken."""
    found = _suite_of(raw, suite)
    if len(raw) != layout_of(found).core.size:
        raise Rejected("header.length")
    sizes = [layout_of(found).header_size(n) for n in range(1, TRUSTEES_MAX + 1)]
    fields = _core_fields(bytes(raw), found)
    if fields["header_len"] not in sizes:
        raise Rejected("header.length")
    _check_core_ranges(fields, found)
    return Core(**fields)


def accept_core(raw: Octets, terms: EnvelopeTerms) -> Core:
    """What C6 can say at the beginning of an upload, before a byte of payload is taken."""
    core = parse_core(raw, terms.suite)
    if core.header_len != layout_of(terms.suite).header_size(len(terms.trustee_xpks)):
        raise Rejected("header.length")
    _check_core_terms(core, terms)
    _check_length_terms(core, terms)
    return core


def parse_header(raw: Octets, suite: Suite | None = None) -> Header:
    """Structure and ranges only; neither terms nor signature. Raises Rejected, see the module."""
    found = _suite_of(raw, suite)
    layout = layout_of(found)
    if not layout.header_size(1) <= len(raw) <= layout.header_size(TRUSTEES_MAX):
        raise Rejected("header.length")
    whole = bytes(raw)
    fields = _core_fields(whole[: layout.core.size], found)
    at = layout.core.size
    *values, zero = layout.fixed.unpack_from(whole, at)
    fields |= zip(FIXED_FIELDS, values, strict=True)
    t, n = fields["t"], fields["n"]
    if not 1 <= t <= n <= TRUSTEES_MAX:
        raise Rejected("header.threshold", f"{t} of {n}")
    if any(zero):
        raise Rejected("header.zero")
    if not len(whole) == fields["header_len"] == layout.header_size(n):
        raise Rejected("header.length")
    _check_core_ranges(fields, found)
    at += layout.fixed.size
    rows = layout.row.iter_unpack(whole[at : -layout.signature_size])
    trustees = tuple(TrusteeBox(xpk, box) for xpk, box in rows)
    if not all(found.is_box_public(trustee.xpk) for trustee in trustees):
        raise Rejected("header.box_key", "trustee")
    if len({trustee.xpk for trustee in trustees}) != n:
        raise Rejected("header.trustees", "repeated")
    return Header(
        **fields,
        raw=whole,
        trustees=trustees,
        sig=whole[-layout.signature_size :],
        bid_id=bid_id_of(found, whole),
    )


@lru_cache(maxsize=4096)
def _read_once(raw: bytes, suite: Suite) -> Header:
    return parse_header(raw, suite)


def accept_header(raw: Octets, terms: EnvelopeTerms) -> Header:
    """C6 but for "AD never seen before": the header, or the first check that fails."""
    header = parse_header(raw, terms.suite)
    _check_core_terms(header, terms)
    if header.t != terms.t or (header.t == header.n and not terms.demo):
        raise Rejected("header.threshold", f"{header.t} of {header.n}")
    if tuple(trustee.xpk for trustee in header.trustees) != terms.trustee_xpks:
        raise Rejected("header.trustees", "not the manifest's list")
    _check_length_terms(header, terms)
    if not header_signature_ok(header):
        raise Rejected("header.signature")
    return header


def signed_bytes(suite: Suite, unsigned: bytes) -> bytes:
    """What the bidder signs over the header without its signature."""
    return suite.signed_message("KBID1 header", unsigned)


def header_signature_ok(header: Header) -> bool:
    """Whether the header is signed by its own bidder_pk, a key that C16 allows."""
    unsigned = header.raw[: -header.suite.signature_size]
    return header.suite.verify(header.bidder_pk, signed_bytes(header.suite, unsigned), header.sig)


def describe(header: Header) -> dict[str, object]:
    """The header for `inspect --json` (formats.md §9): hex for bytes, members in layout order."""
    members: dict[str, object] = {
        "magic": MAGIC.hex(),
        "version": VERSION,
        "suite": header.suite.id,
    }
    for name in (*CORE_FIELDS, *FIXED_FIELDS):
        value = getattr(header, name)
        members[name] = value.hex() if isinstance(value, bytes) else value
    members["trustees"] = [{"xpk": row.xpk.hex(), "box": row.box.hex()} for row in header.trustees]
    return members | {"sig": header.sig.hex(), "bid_id": header.bid_id.hex()}


def _suite_of(raw: Octets, expected: Suite | None) -> Suite:
    """The suite, after the first twelve bytes made sense."""
    if len(raw) < SUITE_AT.size:
        raise Rejected("header.length")
    magic, version, suite_id = SUITE_AT.unpack_from(raw)
    if magic != MAGIC:
        raise Rejected("header.magic")
    if version != VERSION:
        raise Rejected("header.version", str(version))
    if expected is None:
        return get_suite(suite_id)
    if suite_id != expected.id:
        raise Rejected("header.suite", f"{suite_id:#06x}")
    return expected


def _core_fields(core: bytes, suite: Suite) -> dict[str, Any]:
    values = layout_of(suite).core.unpack(core)
    fields: dict[str, Any] = dict(zip(CORE_FIELDS, values[3:], strict=True))
    return fields | {"suite": suite, "core": core, "ad": associated_data(suite, core)}


def _check_core_ranges(fields: dict[str, Any], suite: Suite) -> None:
    # log2 first: it is the shift count of everything after it.
    if not LOG2_CHUNK_MIN <= fields["log2_chunk"] <= LOG2_CHUNK_MAX:
        raise Rejected("header.log2_chunk", str(fields["log2_chunk"]))
    # n_chunks is 32 bits wide, so this also keeps pt_len below 2^52.
    if fields["n_chunks"] != chunk_count(fields["pt_len"], fields["log2_chunk"]):
        raise Rejected("header.n_chunks", str(fields["n_chunks"]))
    if not suite.is_box_public(fields["bidder_xpk"]):
        raise Rejected("header.box_key", "bidder")


def _check_core_terms(core: Core, terms: EnvelopeTerms) -> None:
    if core.tender_id != terms.tender_id:
        raise Rejected("header.tender")
    if core.lot not in terms.lots:
        raise Rejected("header.lot", str(core.lot))
    if core.envelope != terms.envelope:
        raise Rejected("header.envelope", str(core.envelope))
    if core.bidder_pk != terms.bidder_pk:
        raise Rejected("header.bidder")
    if core.bidder_xpk != terms.bidder_xpk:
        raise Rejected("header.bidder_xpk")
    if core.log2_chunk != terms.log2_chunk:
        raise Rejected("header.log2_chunk", str(core.log2_chunk))


def _check_length_terms(core: Core, terms: EnvelopeTerms) -> None:
    pad = FORM_PAD if terms.kind == "form" else BODY_PAD
    limit = min(terms.pt_len_max, FORM_SIZE_MAX) if terms.kind == "form" else terms.pt_len_max
    if not 0 < core.pt_len <= limit or core.pt_len % pad:
        raise Rejected("header.pt_len", str(core.pt_len))
