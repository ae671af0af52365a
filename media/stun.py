"""STUN binding requests (RFC 8489, RFC 8445 §7.3): the only ones an ICE-lite agent answers.

Invariant: total over any bytes, and the answer is never longer than the request. Attributes that
we do not use are skipped; those behind MESSAGE-INTEGRITY are not believed.
"""

from __future__ import annotations

import binascii
import hmac
import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

COOKIE: Final = 0x2112A442
REQUEST: Final = 0x0001
SUCCESS: Final = 0x0101
REQUEST_BYTES_MAX: Final = 548  # RFC 8489 §6.1: what fits where the path's size is not known
USERNAME_BYTES_MAX: Final = 513
ATTRIBUTES_MAX: Final = 24

_USERNAME, _INTEGRITY, _FINGERPRINT = 0x0006, 0x0008, 0x8028
_MAPPED, _USE_CANDIDATE, _CONTROLLING = 0x0020, 0x0025, 0x802A
_FINGERPRINT_XOR: Final = 0x5354554E
_HEAD = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """``username`` is ours, then theirs. ``signed`` is what ``integrity`` was made over."""

    size: int
    transaction: bytes
    username: tuple[str, str]
    nominates: bool
    signed: bytes
    integrity: bytes

    def is_signed_with(self, password: str) -> bool:
        made = hmac.digest(password.encode(), self.signed, "sha1")
        return hmac.compare_digest(made, self.integrity)


def parse_request(buf: bytes) -> BindingRequest | None:
    """A binding request from a controlling agent, whole and signed by somebody; else None."""
    if not 20 <= len(buf) <= REQUEST_BYTES_MAX:
        return None
    kind, size, cookie, transaction = _HEAD.unpack_from(buf)
    if kind != REQUEST or cookie != COOKIE or size != len(buf) - 20 or size % 4:
        return None
    username: bytes | None = None
    nominates = controls = False
    signed = integrity = b""
    pos = 20
    for _ in range(ATTRIBUTES_MAX):
        if pos + 4 > len(buf):
            break
        attribute, length = _ATTRIBUTE.unpack_from(buf, pos)
        value = buf[pos + 4 : pos + 4 + length]
        if len(value) != length:
            return None
        if attribute == _FINGERPRINT:
            if length != 4 or int.from_bytes(value, "big") != _fingerprint(buf[:pos]):
                return None
            break
        if not integrity:
            if attribute == _USERNAME:
                username = value
            elif attribute == _USE_CANDIDATE:
                nominates = True
            elif attribute == _CONTROLLING:
                controls = True
            elif attribute == _INTEGRITY:
                if length != 20:
                    return None
                signed, integrity = _with_length(buf[:pos], pos + 24 - 20), value
        pos += 4 + length + -length % 4
    if username is None or not integrity or not controls or len(username) > USERNAME_BYTES_MAX:
        return None
    ours, colon, theirs = username.decode("ascii", "replace").partition(":")
    if not colon or not ours or not theirs:
        return None
    return BindingRequest(len(buf), transaction, (ours, theirs), nominates, signed, integrity)


def build_answer(request: BindingRequest, password: str, address: tuple[str, int]) -> bytes | None:
    """Success: where the request came from, signed. None where it would be the longer one."""
    ip = ipaddress.ip_address(address[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    pad = COOKIE.to_bytes(4, "big") + request.transaction
    hidden = bytes(a ^ b for a, b in zip(ip.packed, pad, strict=False))
    port = address[1] ^ (COOKIE >> 16)
    mapped = struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, port) + hidden
    body = _ATTRIBUTE.pack(_MAPPED, len(mapped)) + mapped
    answer = _HEAD.pack(SUCCESS, len(body) + 24, COOKIE, request.transaction) + body
    integrity = hmac.digest(password.encode(), answer, "sha1")
    answer = _with_length(answer, len(body) + 32) + _ATTRIBUTE.pack(_INTEGRITY, 20) + integrity
    answer += _ATTRIBUTE.pack(_FINGERPRINT, 4) + _fingerprint(answer).to_bytes(4, "big")
    return answer if len(answer) <= request.size else None


def _with_length(message: bytes, length: int) -> bytes:
    return message[:2] + length.to_bytes(2, "big") + message[4:]


def _fingerprint(before: bytes) -> int:
    """Over the message so far, as if the fingerprint were in its length already."""
    return binascii.crc32(_with_length(before, len(before) - 20 + 8)) ^ _FINGERPRINT_XOR
