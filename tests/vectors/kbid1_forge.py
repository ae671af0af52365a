"""Headers and messages packed without any check, then signed: the bidder's own malice."""

from collections.abc import Callable
from typing import Any

from kbid1_tender import BIDDER

from crypto.errors import Rejected
from crypto.header import Header
from crypto.keys import SigningKey
from crypto.layout import MAGIC, VERSION, layout_of
from crypto.sealing import Sealed
from crypto.suites import Suite

Row = tuple[bytes, bytes]
_CORE = [
    "magic",
    "version",
    "suite_id",
    "header_len",
    "tender_id",
    "lot",
    "envelope",
    "bidder_pk",
    "bidder_xpk",
    "bid_nonce",
    "created_ms",
    "pt_len",
    "log2_chunk",
    "n_chunks",
]
_FIXED = ["c_B", "c_H", "c_K", "c_P", "ct_root", "box_B", "t", "n", "zero"]


class Forge:
    """A good header taken apart; `raw` puts it together again with changes."""

    def __init__(self, header: Header) -> None:
        self.suite: Suite = header.suite
        self.fields: dict[str, Any] = {
            "magic": MAGIC,
            "version": VERSION,
            "suite_id": header.suite.id,
            "zero": bytes(2),
        }
        names = [name for name in (*_CORE, *_FIXED) if name not in self.fields]
        self.fields |= {name: getattr(header, name) for name in names}
        self.rows: list[Row] = [(row.xpk, row.box) for row in header.trustees]

    def raw(
        self,
        *,
        rows: list[Row] | None = None,
        key: SigningKey = BIDDER,
        label: str = "KBID1 header",
        **changes: Any,
    ) -> bytes:
        """A header with these fields and rows; n and header_len follow the rows unless given."""
        layout = layout_of(self.suite)
        taken = self.rows if rows is None else rows
        follow = {"n": len(taken), "header_len": layout.header_size(len(taken))}
        fields = self.fields | follow | changes
        unsigned = layout.core.pack(*(fields[name] for name in _CORE))
        unsigned += layout.fixed.pack(*(fields[name] for name in _FIXED))
        unsigned += b"".join(xpk + box for xpk, box in taken)
        return signed(self.suite, label, unsigned, key)


def forge_of(sealed: Sealed) -> Forge:
    return Forge(sealed.header)


def signed(suite: Suite, label: str, body: bytes, key: SigningKey) -> bytes:
    return body + key.sign(suite.signed_message(label, body))


def flipped(value: bytes) -> bytes:
    """The lowest bit of the last byte changed."""
    return value[:-1] + bytes([value[-1] ^ 1])


def as_refused(code: str, function: Callable[..., object], *arguments: Any) -> None:
    """Assert that the call is refused with exactly this code."""
    found = "accepted"
    try:
        function(*arguments)
    except Rejected as refusal:
        found = refusal.code
    assert found == code, f"{found} instead of {code}"
