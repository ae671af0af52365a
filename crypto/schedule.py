"""The key schedule (密钥派生): every KBID1 hash, its label, its key and what goes in.

Norm: sealing.md 4.2 and C2. Invariant: each value depends on the whole core of the header through
`ad`, so nothing that was made for one envelope fits another. Pure functions of bytes; sizes come
from the suite.
"""

from crypto.hashes import Octets
from crypto.suites import Suite

CORE_GAP = slice(12, 16)
"""Bytes of the core that `ad` leaves out: header_len, which the number of trustees decides."""


def associated_data(suite: Suite, core: bytes) -> bytes:
    """AD = H("KBID1 ad", core without header_len)."""
    return suite.expand(
        "KBID1 ad", core[: CORE_GAP.start], core[CORE_GAP.stop :], size=suite.ad_size
    )


def bid_id_of(suite: Suite, header: bytes) -> bytes:
    """bid_id = H("KBID1 bid", whole header with its signature)."""
    return suite.expand("KBID1 bid", header, size=suite.bid_id_size)


def bidder_half(suite: Suite, seed: bytes) -> bytes:
    """s_B (投标人半钥) from the envelope's seed."""
    return suite.expand("KBID1 sB", key=seed, size=suite.bidder_half_size)


def host_half(suite: Suite, seed: bytes) -> bytes:
    """s_H (招标人半钥) from the envelope's seed: a scalar."""
    return suite.reduce(suite.expand("KBID1 sH", key=seed, size=suite.wide_size))


def bidder_commitment(suite: Suite, ad: bytes, s_B: bytes) -> bytes:
    """c_B."""
    return suite.expand("KBID1 cB", ad, s_B, size=suite.commitment_size)


def host_commitment(suite: Suite, ad: bytes, s_H: bytes) -> bytes:
    """c_H."""
    return suite.expand("KBID1 cH", ad, s_H, size=suite.commitment_size)


def key_and_commitment(suite: Suite, ad: bytes, s_B: bytes, s_H: bytes) -> tuple[bytes, bytes]:
    """K and c_K: the two parts of one output, so K cannot be changed and c_K kept (§3)."""
    okm = suite.expand("KBID1 key", ad, key=s_B + s_H, size=suite.key_size + suite.commitment_size)
    return okm[: suite.key_size], okm[suite.key_size :]


def plaintext_blind(suite: Suite, ad: bytes, s_B: bytes, s_H: bytes) -> bytes:
    """r_P. It needs both halves: otherwise a price could be guessed once s_B is known."""
    return suite.expand("KBID1 rP", ad, key=s_B + s_H, size=suite.blind_size)


def plaintext_commitment(suite: Suite, blind: bytes, inner: bytes) -> bytes:
    """c_P; `inner` is the suite's plaintext hash over exactly pt_len bytes."""
    return suite.expand("KBID1 cP", inner, key=blind, size=suite.commitment_size)


def coefficients(suite: Suite, ad: bytes, s_H: bytes, t: int) -> list[bytes]:
    """a_0 = s_H, a_1 .. a_(t-1): the polynomial of C2."""
    rest = (
        suite.expand("KBID1 poly", ad, _u8(j), key=s_H, size=suite.wide_size) for j in range(1, t)
    )
    return [s_H, *map(suite.reduce, rest)]


def trustee_ephemeral(suite: Suite, ad: bytes, s_H: bytes, i: int) -> bytes:
    """esk_i of C2."""
    return suite.expand("KBID1 eT", ad, _u8(i), key=s_H, size=suite.ephemeral_size)


def bidder_ephemeral(suite: Suite, ad: bytes, seed: bytes) -> bytes:
    """esk_B of C2."""
    return suite.expand("KBID1 eB", ad, key=seed, size=suite.ephemeral_size)


def card_check(suite: Suite, body: Octets) -> bytes:
    """The checksum of an unlock card (C8): the first bytes of a 32-byte H."""
    return suite.expand("KBID1 card", body, size=32)[: suite.card_check_size]


def _u8(number: int) -> bytes:
    return number.to_bytes(1, "big")
