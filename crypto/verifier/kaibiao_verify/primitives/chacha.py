"""ChaCha20-Poly1305 of the IETF (RFC 8439), decryption of bid chunks (认证解密).

All blocks of one message are computed at once: each of the 16 state words is one big integer that
holds that word of every block in its own 64-bit lane, 32 bits used. An addition or a rotation then
treats all blocks in a few machine-speed operations, which makes plain Python fast enough for a
thousand forms. Invariant: after every step each lane is masked back to 32 bits.
"""

from __future__ import annotations

from .poly1305 import poly1305

ROUNDS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def keystream(key: bytes, counter: int, nonce: bytes, blocks: int) -> bytes:
    """`blocks` * 64 bytes of ChaCha20 key stream, block numbers from `counter` on."""
    ones = int.from_bytes(b"\x01\0\0\0\0\0\0\0" * blocks, "little")
    mask = ones * 0xFFFFFFFF
    words = [
        int.from_bytes((b"expand 32-byte k" + key)[4 * k : 4 * k + 4], "little") * ones
        for k in range(12)
    ]
    numbers = b"".join((counter + i).to_bytes(8, "little") for i in range(blocks))
    words.append(int.from_bytes(numbers, "little"))
    words += [int.from_bytes(nonce[4 * k : 4 * k + 4], "little") * ones for k in range(3)]
    v = list(words)
    for _ in range(10):
        for a, b, c, d in ROUNDS:
            va, vb, vc, vd = v[a], v[b], v[c], v[d]
            va = va + vb & mask
            vd ^= va
            vd = (vd << 16 | vd >> 16) & mask
            vc = vc + vd & mask
            vb ^= vc
            vb = (vb << 12 | vb >> 20) & mask
            va = va + vb & mask
            vd ^= va
            vd = (vd << 8 | vd >> 24) & mask
            vc = vc + vd & mask
            vb ^= vc
            vb = (vb << 7 | vb >> 25) & mask
            v[a], v[b], v[c], v[d] = va, vb, vc, vd
    out = bytearray(64 * blocks)
    for k in range(16):
        lanes = (v[k] + words[k] & mask).to_bytes(8 * blocks, "little")
        for byte in range(4):
            out[4 * k + byte :: 64] = lanes[byte::8]
    return bytes(out)


def xor(a: bytes, b: bytes) -> bytes:
    """The bytes of two equally long strings, exclusive-or."""
    return (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(len(a), "little")


def _pad16(data: bytes) -> bytes:
    return bytes(-len(data) % 16)


def decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes = b"") -> bytes | None:
    """The plaintext of ciphertext ‖ 16-byte tag, or None if the tag is not right."""
    if len(key) != 32 or len(nonce) != 12 or len(sealed) < 16:
        return None
    text, tag = sealed[:-16], sealed[-16:]
    stream = keystream(key, 0, nonce, 1 + (len(text) + 63) // 64)
    lengths = len(associated).to_bytes(8, "little") + len(text).to_bytes(8, "little")
    signed = associated + _pad16(associated) + text + _pad16(text) + lengths
    if poly1305(stream[:32], signed) != tag:
        return None
    return xor(text, stream[64 : 64 + len(text)])
