"""One ChaCha20-Poly1305 ciphertext that opens under two keys (sealing.md §3).

Poly1305 is a polynomial: with both keys known, one free block solves one linear equation so that
both tags agree. It is the reason why c_K exists.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

_P = 2**130 - 5
_R_MASK = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_BLOCK = 16


def _keystream(key: bytes, nonce: bytes, size: int) -> tuple[int, int, bytes]:
    """r and s of Poly1305, and the key stream that the plaintext meets."""
    stream = Cipher(ChaCha20(key, bytes(4) + nonce), None).encryptor().update(bytes(64 + size))
    r = int.from_bytes(stream[:16], "little") & _R_MASK
    return r, int.from_bytes(stream[16:32], "little"), stream[64:]


def _polynomial(ciphertext: bytes, r: int) -> int:
    """Poly1305's sum over the ciphertext (whole blocks) and the lengths, without s."""
    blocks = [ciphertext[at : at + _BLOCK] for at in range(0, len(ciphertext), _BLOCK)]
    blocks.append(bytes(8) + len(ciphertext).to_bytes(8, "little"))
    total = 0
    for block in blocks:
        total = (total + int.from_bytes(block + b"\x01", "little")) * r % _P
    return total


def two_key_ciphertext(
    keys: tuple[bytes, bytes], prices: tuple[bytes, bytes], nonce: bytes, size: int
) -> bytes:
    """`size` bytes (whole blocks) and a tag: under keys[0] block 0 reads prices[0], under keys[1]
    block 1 reads prices[1], both with a valid tag. Prices are 16 bytes each.
    """
    (r1, s1, stream1), (r2, s2, stream2) = (_keystream(key, nonce, size) for key in keys)
    first = bytes(a ^ b for a, b in zip(prices[0], stream1[:16], strict=True))
    second = bytes(a ^ b for a, b in zip(prices[1], stream2[16:32], strict=True))
    free = size - _BLOCK
    for attempt in range(1000):
        filler = attempt.to_bytes(4, "big") * ((free - 32) // 4)
        # The free block stands for 2^128 (its marker bit) plus nothing yet.
        draft = first + second + filler + bytes(_BLOCK)
        gap = _polynomial(draft, r2) - _polynomial(draft, r1)
        inverse = pow((r1 * r1 - r2 * r2) % _P, -1, _P)
        for wrap in range(-4, 5):
            block = (gap + s2 - s1 + (wrap << 128)) * inverse % _P
            if block >> 128:
                continue
            ciphertext = draft[:free] + block.to_bytes(_BLOCK, "little")
            tags = {(_polynomial(ciphertext, r) + s) % 2**128 for r, s in ((r1, s1), (r2, s2))}
            if len(tags) == 1:
                return ciphertext + tags.pop().to_bytes(_BLOCK, "little")
    raise AssertionError("a quarter of the attempts succeeds")
