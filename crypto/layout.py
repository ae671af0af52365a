"""Where each field of a header lies (报文布局): computed from the sizes of the suite.

Invariant: for nacl-1 these structures give the table of sealing.md 4.2 byte for byte. No other file
knows an offset of a header. Integers are unsigned and big-endian; nothing is aligned.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from crypto.suites import Suite

MAGIC: Final = b"\x89KBID\r\n\x1a"
VERSION: Final = 1
TRUSTEES_MAX: Final = 9
TENDER_ID_SIZE: Final = 32

SUITE_AT: Final = struct.Struct(">8sHH")
"""magic, version, suite: the same place in every suite"""
CORE_FIELDS: Final = (
    *("header_len", "tender_id", "lot", "envelope", "bidder_pk", "bidder_xpk", "bid_nonce"),
    *("created_ms", "pt_len", "log2_chunk", "n_chunks"),
)
"""what follows them in the core, in order"""
FIXED_FIELDS: Final = ("c_B", "c_H", "c_K", "c_P", "ct_root", "box_B", "t", "n")
"""what follows the core, in order; then two zero bytes, the rows, the signature"""


@dataclass(frozen=True, slots=True)
class Layout:
    """The three parts of a header before the signature, as big-endian structures."""

    core: struct.Struct
    """magic .. n_chunks: what an upload declares when it begins, and what AD covers"""
    fixed: struct.Struct
    """c_B .. the two zero bytes"""
    row: struct.Struct
    """one trustee: xpk, box"""
    signature_size: int

    def header_size(self, n: int) -> int:
        """Bytes of a header with n trustees."""
        return self.core.size + self.fixed.size + n * self.row.size + self.signature_size


@lru_cache(maxsize=8)
def layout_of(suite: Suite) -> Layout:
    """The layout that this suite's sizes give."""
    c, xpk = suite.commitment_size, suite.box_public_size
    box_B = suite.seed_size + suite.box_overhead
    box = suite.share_size + suite.ad_size + suite.box_overhead
    return Layout(
        core=struct.Struct(
            f">8s H H I {TENDER_ID_SIZE}s I I {suite.sign_public_size}s {xpk}s"
            f" {suite.bid_nonce_size}s Q Q I I"
        ),
        fixed=struct.Struct(f">{c}s {c}s {c}s {c}s {suite.root_size}s {box_B}s B B 2s"),
        row=struct.Struct(f">{xpk}s {box}s"),
        signature_size=suite.signature_size,
    )
