"""Opening one sealed envelope (开封): halves, key, chunks, commitments, by sealing 4.2 and C2-C5.

Invariant: nothing here believes a label. Every value is computed from the header's bytes and the
two halves; a header together with its payload opens to one plaintext or to none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from .header import Header
from .primitives import chacha, merkle, salsa, shamir
from .primitives.hashes import blake2b, labelled, sha256

TAG = 16


def bidder_half_matches(header: Header, s_B: bytes) -> bool:
    """c_B = H("KBID1 cB", AD ‖ s_B)."""
    return labelled("KBID1 cB", header.ad, s_B) == header.c_B


def host_half_matches(header: Header, s_H: bytes) -> bool:
    """s_H is canonical and not zero, and c_H = H("KBID1 cH", AD ‖ s_H)."""
    value = shamir.scalar(s_H)
    return bool(value) and labelled("KBID1 cH", header.ad, s_H) == header.c_H


def shares_of(header: Header, s_H: bytes) -> list[bytes]:
    """share_1 .. share_n of the deterministic dealing (C2)."""
    ad = header.ad
    coefficients = [int.from_bytes(s_H, "little")]
    for j in range(1, header.t):
        wide = labelled("KBID1 poly", ad, bytes([j]), key=s_H, size=64)
        coefficients.append(shamir.reduce(wide))
    return [shamir.scalar_bytes(shamir.evaluate(coefficients, i)) for i in range(1, header.n + 1)]


def deal_check(header: Header, s_H: bytes) -> bool:
    """DEAL CHECK (分发核验, C2): s_H matches c_H and makes every box of the header again."""
    if not host_half_matches(header, s_H):
        return False
    ad, dealt = header.ad, b""
    for i, (share, (xpk, _)) in enumerate(zip(shares_of(header, s_H), header.rows, strict=True), 1):
        esk = labelled("KBID1 eT", ad, bytes([i]), key=s_H)
        dealt += xpk + salsa.deterministic_seal(share + ad, xpk, esk)
    return dealt == header.dealt


def find_host_half(
    header: Header, shares: Mapping[int, bytes], first: tuple[int, ...] | None
) -> tuple[bytes, tuple[int, ...]] | None:
    """C5: s_H and the positions that gave it; subsets of size t in order, `first` before all."""
    values = {i: shamir.scalar(share) for i, share in shares.items() if 1 <= i <= header.n}
    usable = {i: value for i, value in sorted(values.items()) if value is not None}
    for subset in _subsets(tuple(usable), header.t, first):
        s_H = shamir.scalar_bytes(shamir.combine({i: usable[i] for i in subset}))
        if host_half_matches(header, s_H):
            return s_H, subset
    return None


def _subsets(
    positions: tuple[int, ...], t: int, first: tuple[int, ...] | None
) -> Iterator[tuple[int, ...]]:
    if first is not None and len(first) == t and set(first) <= set(positions):
        yield first
    yield from combinations(positions, t)


def content_key(header: Header, s_B: bytes, s_H: bytes) -> bytes | None:
    """K, if the halves give the header's c_K; both are parts of one hash (§3)."""
    okm = labelled("KBID1 key", header.ad, key=s_B + s_H, size=64)
    return okm[:32] if okm[32:] == header.c_K else None


def chunks(header: Header, payload: bytes) -> list[bytes] | None:
    """ct_0 .. of a stored payload, or None if its length is not the header's."""
    step = 1 << header.log2_chunk
    if len(payload) != header.pt_len + TAG * header.n_chunks:
        return None
    return [payload[at : at + step + TAG] for at in range(0, max(1, len(payload)), step + TAG)]


def is_intact(header: Header, payload: bytes) -> bool:
    """Whether the stored bytes give ct_root (RFC 6962 shape over 00 ‖ u64 i ‖ ct_i)."""
    found = chunks(header, payload)
    if found is None:
        return False
    leaves = [sha256(b"\0", i.to_bytes(8, "big"), chunk) for i, chunk in enumerate(found)]
    return merkle.root(leaves) == header.ct_root


def open_payload(header: Header, s_B: bytes, s_H: bytes, payload: bytes) -> bytes | None:
    """The plaintext of pt_len bytes: every chunk's tag and c_P hold; None otherwise."""
    key, found = content_key(header, s_B, s_H), chunks(header, payload)
    if key is None or found is None:
        return None
    plaintext = b""
    for i, chunk in enumerate(found):
        nonce = i.to_bytes(11, "big") + bytes([i == header.n_chunks - 1])
        part = chacha.decrypt(key, nonce, chunk)
        if part is None:
            return None
        plaintext += part
    blind = labelled("KBID1 rP", header.ad, key=s_B + s_H)
    committed = labelled("KBID1 cP", blake2b(plaintext), key=blind)
    return plaintext if committed == header.c_P else None
