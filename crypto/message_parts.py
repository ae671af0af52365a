"""What every message of bidders and trustees has (报文公共部分): raw bytes, a digest, a signer.

Invariant: a message keeps the bytes that were received; its digest and its signature are over
those, never over a re-encoding.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from crypto.errors import Rejected
from crypto.hashes import Octets, sha256
from crypto.keys import SigningKey
from crypto.suites import Suite

OPENING_NONCE_SIZE: Final = 32
FORM_ENVELOPE: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as received."""

    suite: Suite
    raw: bytes = field(repr=False)
    digest: bytes = field(init=False)
    """SHA-256 of raw: what receipts, log entries and the next SUBMIT's `prev` name"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(self.raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage(Message):
    """A message whose last bytes are a signature over all before, under the label of its kind."""

    label: ClassVar[str]

    def signed_by(self, public: bytes) -> bool:
        """Whether the holder of `public` made it."""
        suite = self.suite
        body, signature = self.raw[: -suite.signature_size], self.raw[-suite.signature_size :]
        return suite.verify(public, suite.signed_message(self.label, body), signature)


def sign(suite: Suite, label: str, body: bytes, key: SigningKey) -> bytes:
    return body + key.sign(suite.signed_message(label, body))


def begun(raw: Octets, size_min: int, magic: bytes, noun: str, *, exact: bool = False) -> bytes:
    """The bytes, long enough for their fixed parts and of the right kind."""
    if len(raw) < size_min or (exact and len(raw) != size_min):
        raise Rejected(f"{noun}.length", str(len(raw)))
    if bytes(raw[: len(magic)]) != magic:
        raise Rejected(f"{noun}.magic")
    return bytes(raw)


def list_bytes(
    whole: bytes, head: struct.Struct, item: struct.Struct, count: int, signature: int, noun: str
) -> bytes:
    """The bytes of the list, once the length fits the count exactly."""
    if len(whole) != head.size + count * item.size + signature:
        raise Rejected(f"{noun}.length", str(len(whole)))
    return whole[head.size : len(whole) - signature]


def is_ascending(values: Iterable[bytes]) -> bool:
    """Strictly: so distinct too."""
    previous = b""
    for value in values:
        if value <= previous:
            return False
        previous = value
    return True
