"""What a suite (算法套件) is: every primitive and every size that bids and sealing messages use.

Invariant: code outside `crypto/suites` composes these functions and adds up these sizes; it names
no primitive and no offset. A suite is fixed by the signed tender manifest and is never negotiated.
tender_id, opening_nonce, bid_id, ct_root, public keys and signatures are 32, 32, 32, 32, 32 and 64
bytes in every suite, because manifest, log and journal name things by them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from crypto.hashes import Octets


class Hash(Protocol):
    """An incremental hash, as in `hashlib`."""

    def update(self, part: Octets, /) -> None: ...
    def digest(self) -> bytes: ...


class Cipher(Protocol):
    """The chunk cipher under one content key. Safe to use from several threads at once."""

    def seal(self, index: int, last: bool, plaintext: Octets) -> bytes:
        """Ciphertext and tag of chunk `index` (from 0)."""
        ...

    def open(self, index: int, last: bool, ciphertext: Octets) -> bytes | None:
        """The plaintext, or None if the tag does not match."""
        ...

    def open_into(self, index: int, last: bool, ciphertext: Octets, out: Octets) -> bool:
        """Decrypt into `out`, which has exactly the plaintext's size; False if the tag differs."""
        ...


class Expand(Protocol):
    """H of sealing.md 4.2 for this suite: label, NUL, parts, under an optional key."""

    def __call__(self, label: str, *parts: Octets, key: bytes = b"", size: int) -> bytes: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Suite:
    """One registered suite. Sizes are in bytes; see the table of sealing.md 4.2 for nacl-1."""

    id: int
    name: str

    seed_size: int
    bidder_half_size: int
    """s_B"""
    host_half_size: int
    """s_H, also the form in which a polynomial's coefficients are kept"""
    share_size: int
    ad_size: int
    commitment_size: int
    """c_B, c_H, c_K and c_P"""
    root_size: int
    bid_id_size: int
    bid_nonce_size: int
    sign_public_size: int
    signature_size: int
    box_public_size: int
    box_overhead: int
    """size of a box minus size of what is in it"""
    key_size: int
    tag_size: int
    blind_size: int
    """r_P"""
    ephemeral_size: int
    """esk_i and esk_B"""
    wide_size: int
    """input of `reduce`"""
    card_check_size: int

    expand: Expand
    tree_hash: Callable[[], Hash]
    """leaves and nodes of ct_root"""
    plaintext_hash: Callable[[], Hash]
    """the inner hash of c_P"""
    cipher: Callable[[bytes], Cipher]

    signed_message: Callable[[str, Octets], bytes]
    """(label, body) -> what is signed: label ‖ 00 ‖ hash of the body"""
    verify: Callable[[bytes, bytes, bytes], bool]
    """(public, message, signature), as C16"""
    is_box_public: Callable[[bytes], bool]
    box_seal: Callable[[bytes, bytes, bytes], bytes]
    """(message, public, ephemeral secret) -> box, deterministic (C2)"""
    box_open: Callable[[bytes, bytes, bytes], bytes | None]
    """(box, public, secret) -> message or None"""

    reduce: Callable[[bytes], bytes]
    """wide uniform bytes -> a scalar encoded as a host half"""
    is_host_half: Callable[[bytes], bool]
    """right size, canonical, not zero"""
    is_share: Callable[[bytes], bool]
    """right size, canonical"""
    share_at: Callable[[Sequence[bytes], int], bytes]
    """(coefficients from a_0 up, i) -> share i"""
    combine: Callable[[tuple[int, ...], Sequence[bytes]], bytes]
    """(positions, their canonical shares) -> f(0) encoded as a host half"""
