"""Envelopes whose header is accepted and which still must not open.

The checks, in the order of C3: bidder_half (c_B), host_half (c_H), deal_check, content_key (c_K),
ct_root, chunk.tag, plaintext.commitment. `expect` is the first that fails.
"""

import hashlib
from typing import Any

from kbid1_forge import flipped, forge_of
from kbid1_tender import (
    BIDDER_BOX,
    TRUSTEES,
    Recipe,
    a_body,
    a_form,
    expanded,
    octets,
    padded,
    recipe_json,
    seal,
)

from crypto.errors import Rejected
from crypto.header import Header, accept_header
from crypto.schedule import (
    coefficients,
    host_commitment,
    plaintext_blind,
    plaintext_commitment,
    trustee_ephemeral,
)
from crypto.sealing import (
    Sealed,
    bidder_half_matches,
    content_key,
    deal_check,
    host_half_matches,
    open_payload,
    unseal_seed,
)
from crypto.stream import RootHasher

Json = dict[str, object]
ORDER = 2**252 + 27742317777372353535851937790883648493


def first_failure(header: Header, s_B: bytes, s_H: bytes, payload: bytes) -> str:
    """The check at which this envelope dies, or "opened"."""
    if not bidder_half_matches(header, s_B):
        return "bidder_half"
    if not host_half_matches(header, s_H):
        return "host_half"
    if not deal_check(header, s_H):
        return "deal_check"
    key = content_key(header, s_B, s_H)
    if key is None:
        return "content_key"
    if root_of(header, payload) != header.ct_root:
        return "ct_root"
    try:
        open_payload(header, key, payload)
    except Rejected as refusal:
        return refusal.code
    return "opened"


def root_of(header: Header, payload: bytes) -> bytes:
    hasher = RootHasher(header.suite, header.pt_len, header.log2_chunk)
    hasher.update(payload)
    return hasher.root()


def envelope_cases(form: Sealed, body: Sealed) -> list[Json]:
    return [*_flips(form), *_halves(form), *_dealings(form), *_payloads(form), *_chunks(body)]


def envelope_case(
    name: str, raw: bytes, sealed: Sealed, expect: str, payload: bytes | None = None, **changes: Any
) -> Json:
    """Without `payload` the case names the form's stored one; `changes` are s_B, s_H."""
    s_B = changes.get("s_B", sealed.bidder_half)
    s_H = changes.get("s_H", sealed.host_half)
    stored = sealed.payload if payload is None else payload
    suite = sealed.header.suite
    header = accept_header(raw, a_form(suite) if sealed.header.envelope == 1 else a_body(suite))
    found = first_failure(header, s_B, s_H, stored)
    assert found == expect, f"{name}: {found}"
    shown: Json = {"stored": "form"} if payload is None else {"hex": stored.hex()}
    return {
        "name": name,
        "terms": "form",
        "header": raw.hex(),
        "s_B": s_B.hex(),
        "s_H": s_H.hex(),
        "payload": shown,
        "expect": expect,
    }


def _flips(sealed: Sealed) -> list[Json]:
    """One flip for each field that C6 cannot judge, signed again."""
    form = forge_of(sealed)
    expected = {
        "bid_nonce": "bidder_half",
        "created_ms": "bidder_half",
        "c_B": "bidder_half",
        "c_H": "host_half",
        "c_K": "content_key",
        "c_P": "plaintext.commitment",
        "ct_root": "ct_root",
        "box_B": "opened",
    }
    cases = [envelope_case("nothing changed", form.raw(), sealed, "opened")]
    for name, expect in expected.items():
        value = form.fields[name]
        changed = value ^ 1 if isinstance(value, int) else flipped(value)
        case = envelope_case(f"{name} flipped", form.raw(**{name: changed}), sealed, expect)
        if name == "box_B":
            case["unseal"] = _unseal_code(bytes.fromhex(str(case["header"])), sealed)
        cases.append(case)
    for i in range(len(form.rows)):
        for part, at in (("ephemeral key", 0), ("ciphertext", -1)):
            rows = list(form.rows)
            box = bytearray(rows[i][1])
            box[at] ^= 1
            rows[i] = (rows[i][0], bytes(box))
            name = f"{part} of box {i + 1} flipped"
            cases.append(envelope_case(name, form.raw(rows=rows), sealed, "deal_check"))
    return cases


def _unseal_code(raw: bytes, sealed: Sealed) -> str:
    header = accept_header(raw, a_form(sealed.header.suite))
    try:
        unseal_seed(header, BIDDER_BOX)
    except Rejected as refusal:
        return refusal.code
    raise AssertionError("a flipped box opened")


def _halves(sealed: Sealed) -> list[Json]:
    form, header, suite = forge_of(sealed), sealed.header, sealed.header.suite
    other = seal(a_form(suite), padded(b'{"price":"1.00"}'), "another bid")
    theirs = forge_of(other)
    names = ("c_B", "c_H", "c_K", "c_P", "ct_root", "box_B")
    copied = form.raw(rows=theirs.rows, **{name: theirs.fields[name] for name in names})
    beyond = (int.from_bytes(sealed.host_half, "little") + ORDER).to_bytes(32, "little")
    zero = bytes(suite.host_half_size)
    return [
        envelope_case(
            "s_B flipped", header.raw, sealed, "bidder_half", s_B=flipped(sealed.bidder_half)
        ),
        envelope_case(
            "s_B one byte short", header.raw, sealed, "bidder_half", s_B=sealed.bidder_half[:-1]
        ),
        envelope_case(
            "s_H flipped", header.raw, sealed, "host_half", s_H=flipped(sealed.host_half)
        ),
        envelope_case("s_H + L, the same scalar", header.raw, sealed, "host_half", s_H=beyond),
        envelope_case(
            "s_H + L, committed to",
            form.raw(c_H=host_commitment(suite, header.ad, beyond)),
            sealed,
            "host_half",
            s_H=beyond,
        ),
        envelope_case(
            "s_H = 0, committed to",
            form.raw(c_H=host_commitment(suite, header.ad, zero)),
            sealed,
            "host_half",
            s_H=zero,
        ),
        envelope_case(
            "everything but the core copied from another bid",
            copied,
            sealed,
            "bidder_half",
            payload=other.payload,
            s_B=other.bidder_half,
            s_H=other.host_half,
        ),
    ]


def _dealings(sealed: Sealed) -> list[Json]:
    """Boxes that open, for trustees who would not complain, and still are not C2's."""
    form, header, suite = forge_of(sealed), sealed.header, sealed.header.suite
    s_H, ad = sealed.host_half, header.ad
    polynomial = coefficients(suite, ad, s_H, header.t)
    free = [s_H, suite.reduce(octets("another coefficient", suite.wide_size))]

    def dealt(coefficients_: list[bytes], *, own_ephemeral: bool) -> bytes:
        rows: list[tuple[bytes, bytes]] = []
        for i, trustee in enumerate(TRUSTEES[: header.n], 1):
            esk = trustee_ephemeral(suite, ad, s_H, i)
            if own_ephemeral:
                esk = octets(f"own ephemeral {i}", suite.ephemeral_size)
            share = suite.share_at(coefficients_, i)
            rows.append((trustee.public, suite.box_seal(share + ad, trustee.public, esk)))
        return form.raw(rows=rows)

    assert dealt(polynomial, own_ephemeral=False) == header.raw
    swapped = [(form.rows[0][0], form.rows[1][1]), (form.rows[1][0], form.rows[0][1]), form.rows[2]]
    return [
        envelope_case(
            "right shares, ephemeral keys not from s_H",
            dealt(polynomial, own_ephemeral=True),
            sealed,
            "deal_check",
        ),
        envelope_case(
            "another polynomial with the same f(0)",
            dealt(free, own_ephemeral=False),
            sealed,
            "deal_check",
        ),
        envelope_case("two boxes swapped", form.raw(rows=swapped), sealed, "deal_check"),
    ]


def _payloads(sealed: Sealed) -> list[Json]:
    form, header = forge_of(sealed), sealed.header
    suite, payload = header.suite, sealed.payload
    noise = octets("random ciphertext", len(payload))
    stored = payload[:1000] + bytes([payload[1000] ^ 1]) + payload[1001:]
    blind = plaintext_blind(suite, header.ad, sealed.bidder_half, sealed.host_half)
    inner = suite.plaintext_hash()
    inner.update(expanded(padded(b'{"price":"99000000.00"}')))
    twin = plaintext_commitment(suite, blind, inner.digest())
    return [
        envelope_case("one stored bit flipped", header.raw, sealed, "ct_root", payload=stored),
        envelope_case(
            "one stored bit flipped, ct_root to match",
            form.raw(ct_root=root_of(header, stored)),
            sealed,
            "chunk.tag",
            payload=stored,
        ),
        envelope_case(
            "random ciphertext with the right c_P",
            form.raw(ct_root=root_of(header, noise)),
            sealed,
            "chunk.tag",
            payload=noise,
        ),
        envelope_case(
            "c_P of another plaintext", form.raw(c_P=twin), sealed, "plaintext.commitment"
        ),
    ]


def _chunks(sealed: Sealed) -> list[Json]:
    """Two chunks, written as a recipe because of their size."""
    header, form = sealed.header, forge_of(sealed)
    key = content_key(header, sealed.bidder_half, sealed.host_half)
    assert key is not None
    half: Recipe = [(b"kaibiao ", 8192)]
    other: Recipe = [(b"gaibiao ", 8192)]
    orders: list[tuple[str, list[tuple[int, bool, Recipe]], str]] = [
        ("two chunks as they should be", [(0, False, half), (1, True, half)], "opened"),
        ("last chunk without the last flag", [(0, False, half), (1, False, half)], "chunk.tag"),
        ("first chunk with the last flag", [(0, True, half), (1, True, half)], "chunk.tag"),
        ("chunks swapped", [(1, True, half), (0, False, half)], "chunk.tag"),
        ("first chunk twice", [(0, False, half), (0, False, half)], "chunk.tag"),
        (
            "other plaintext in a good chunk",
            [(0, False, half), (1, True, other)],
            "plaintext.commitment",
        ),
    ]
    cases: list[Json] = []
    for name, chunks, expect in orders:
        stored = b"".join(key.cipher.seal(i, last, expanded(plain)) for i, last, plain in chunks)
        raw = form.raw(ct_root=root_of(header, stored))
        case = envelope_case(name, raw, sealed, expect, payload=stored)
        shown = [
            {"index": i, "last": last, "plaintext": recipe_json(plain)} for i, last, plain in chunks
        ]
        case["terms"] = "body"
        case["payload"] = {
            "K": key.K.hex(),
            "chunks": shown,
            "sha256": hashlib.sha256(stored).hexdigest(),
        }
        cases.append(case)
    return cases
