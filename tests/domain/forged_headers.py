"""What a malicious bidder can make of its own envelope: everything signed, each wrong in one way.

A forgery takes a good sealed envelope and gives one whose header its bidder signed anew, so that it
is accepted before the deadline and shows what it is only when it is opened (sealing.md C3, §11 F1).
"""

from collections.abc import Callable
from typing import Any

from crypto.hashes import labelled
from crypto.header import EnvelopeTerms, parse_header
from crypto.keys import SigningKey
from crypto.layout import MAGIC, VERSION, layout_of
from crypto.schedule import coefficients, trustee_ephemeral
from crypto.sealing import Sealed, seal_bytes
from crypto.stream import RootHasher

Row = tuple[bytes, bytes]
Forgery = Callable[[Sealed, SigningKey], Sealed]


def resigned(
    sealed: Sealed,
    key: SigningKey,
    *,
    rows: list[Row] | None = None,
    payload: bytes | None = None,
    **changes: Any,
) -> Sealed:
    """The envelope with these fields of its header, these rows or this payload instead."""
    header, layout = sealed.header, layout_of(sealed.header.suite)
    core = (MAGIC, VERSION, header.suite.id, header.header_len, header.tender_id, header.lot)
    core += (header.envelope, header.bidder_pk, header.bidder_xpk, header.bid_nonce)
    core += (header.created_ms, header.pt_len, header.log2_chunk, header.n_chunks)
    names = ("c_B", "c_H", "c_K", "c_P", "ct_root", "box_B", "t", "n")
    fixed = [changes.get(name, getattr(header, name)) for name in names]
    taken = [(row.xpk, row.box) for row in header.trustees] if rows is None else rows
    unsigned = layout.core.pack(*core) + layout.fixed.pack(*fixed, bytes(2))
    unsigned += b"".join(xpk + box for xpk, box in taken)
    raw = unsigned + key.sign(header.suite.signed_message("KBID1 header", unsigned))
    stored = sealed.payload if payload is None else payload
    return Sealed(parse_header(raw, header.suite), stored, sealed.bidder_half, sealed.host_half)


def another_polynomial(sealed: Sealed, key: SigningKey) -> Sealed:
    """Shares of the right s_H, but of coefficients that C2 does not allow: any t recover s_H."""
    header, suite = sealed.header, sealed.header.suite
    other = coefficients(suite, bytes(suite.ad_size), sealed.host_half, header.t)
    return resigned(
        sealed,
        key,
        rows=[
            (
                row.xpk,
                suite.box_seal(
                    suite.share_at(other, i) + header.ad,
                    row.xpk,
                    trustee_ephemeral(suite, header.ad, sealed.host_half, i),
                ),
            )
            for i, row in enumerate(header.trustees, 1)
        ],
    )


def a_wrong_share_for(*places: int) -> Forgery:
    """The boxes of these trustees hold a share of nothing."""

    def forge(sealed: Sealed, key: SigningKey) -> Sealed:
        header, suite = sealed.header, sealed.header.suite
        rows = [(row.xpk, row.box) for row in header.trustees]
        for i in places:
            other = suite.reduce(labelled("other", sealed.host_half, size=64)[: suite.wide_size])
            esk = trustee_ephemeral(suite, header.ad, sealed.host_half, i)
            xpk = rows[i - 1][0]
            wrong = suite.share_at(coefficients(suite, header.ad, other, header.t), i)
            rows[i - 1] = (xpk, suite.box_seal(wrong + header.ad, xpk, esk))
        return resigned(sealed, key, rows=rows)

    return forge


def an_unreadable_box_for(*places: int) -> Forgery:
    """The boxes of these trustees hold noise."""

    def forge(sealed: Sealed, key: SigningKey) -> Sealed:
        rows = [(row.xpk, row.box) for row in sealed.header.trustees]
        for i in places:
            xpk, box = rows[i - 1]
            rows[i - 1] = (xpk, labelled("noise", box)[:1] * len(box))
        return resigned(sealed, key, rows=rows)

    return forge


def another_key_commitment(sealed: Sealed, key: SigningKey) -> Sealed:
    """c_K of another key (the salamander's last defence, §3): tags, roots and halves are right."""
    return resigned(
        sealed, key, c_K=labelled("other", sealed.header.c_K)[:1] * len(sealed.header.c_K)
    )


def noise_for_ciphertext(sealed: Sealed, key: SigningKey) -> Sealed:
    """Random bytes under the right ct_root and the right c_P (§11 F1 b): no chunk opens."""
    header = sealed.header
    noise = (labelled("noise", header.ad) * (len(sealed.payload) // 32 + 1))[: len(sealed.payload)]
    root = RootHasher(header.suite, header.pt_len, header.log2_chunk)
    root.update(noise)
    return resigned(sealed, key, payload=noise, ct_root=root.root())


def another_plaintext_commitment(sealed: Sealed, key: SigningKey) -> Sealed:
    """Everything opens, but to something else than c_P committed to."""
    c_P = labelled("other", sealed.header.c_P)[:1] * len(sealed.header.c_P)
    return resigned(sealed, key, c_P=c_P)


def no_padding(sealed: Sealed, key: SigningKey) -> Sealed:
    """Zeros to the end, sealed as they should be: only who cuts the padding off notices."""
    header = sealed.header
    terms = EnvelopeTerms(
        suite=header.suite,
        tender_id=header.tender_id,
        lots={header.lot},
        envelope=header.envelope,
        kind="body",
        log2_chunk=header.log2_chunk,
        pt_len_max=header.pt_len,
        t=header.t,
        trustee_xpks=tuple(row.xpk for row in header.trustees),
        demo=False,
        bidder_pk=header.bidder_pk,
        bidder_xpk=header.bidder_xpk,
    )
    return seal_bytes(
        terms,
        bytes(header.pt_len),
        lot=header.lot,
        created_ms=header.created_ms,
        bid_nonce=header.bid_nonce,
        seed=labelled("unpadded", header.ad, size=header.suite.seed_size),
        key=key,
    )
