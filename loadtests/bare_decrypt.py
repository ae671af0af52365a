"""The bare loops of `decrypt` (裸循环): one process per core, the same files, the same chunks.

``aead``: read a chunk into a buffer, open it into another, nothing else. ``checks``: also what C3
asks of every byte, SHA-256 for ct_root and BLAKE2b for c_P, each over the chunk in the cache.
``checked``: the same without SHA-256, as for files that STORE_CHECK has hashed. Nobody compares a
root, writes a byte or runs a hall. `python -m loadtests.bare_decrypt`, orders on stdin.
"""

import hashlib
import os
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from loadtests.child import obey

TAG = 16


def run(files: list[dict[str, Any]], way: str) -> dict[str, float]:
    """Seconds and CPU seconds for all files, one after the other."""
    cpu, began = time.process_time(), time.perf_counter()
    for file in files:
        _open(file, with_root=way == "checks", with_plaintext=way != "aead")
    return {"took_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}


def _open(file: dict[str, Any], *, with_root: bool, with_plaintext: bool) -> None:
    left, chunk = file["pt_len"], file["chunk"]
    aead = ChaCha20Poly1305(file["K"])
    stored, plain = memoryview(bytearray(chunk + TAG)), memoryview(bytearray(chunk))
    inner = hashlib.blake2b(digest_size=32)
    handle = os.open(file["path"], os.O_RDONLY)
    index = 0
    while left:
        size = min(left, chunk)
        left -= size
        part = stored[: size + TAG]
        assert os.readv(handle, [part]) == len(part)
        if with_root:
            hashlib.sha256(part).digest()
        nonce = (index << 8 | (not left)).to_bytes(12, "big")
        aead.decrypt_into(nonce, part, None, plain[:size])
        if with_plaintext:
            inner.update(plain[:size])
        index += 1
    os.close(handle)


if __name__ == "__main__":
    obey({"run": run})
