"""The payload (密文) as a stream: chunk arithmetic, ct_root of received bytes, one chunk at a time.

Invariant: pt_len and log2_chunk decide the number and size of all chunks; a byte beyond them is
refused when it arrives, and a payload short of them has no root. Callers have range-checked both
numbers (`header.parse_core`), so the shifts here are harmless.
"""

from collections.abc import Iterator

from crypto.errors import Rejected
from crypto.hashes import Octets
from crypto.suites import Cipher, Suite


def chunk_count(pt_len: int, log2_chunk: int) -> int:
    """max(1, ceil(pt_len / 2^log2_chunk)): an empty plaintext still has one chunk."""
    return max(1, -(-pt_len >> log2_chunk))


def ciphertext_size(suite: Suite, pt_len: int, log2_chunk: int) -> int:
    """Bytes of the whole payload (`.kbc`)."""
    return pt_len + suite.tag_size * chunk_count(pt_len, log2_chunk)


def chunk_size(suite: Suite, pt_len: int, log2_chunk: int, index: int) -> int:
    """Ciphertext bytes of chunk `index`, 0 <= index < chunk_count."""
    assert 0 <= index < chunk_count(pt_len, log2_chunk)
    return min(1 << log2_chunk, pt_len - (index << log2_chunk)) + suite.tag_size


def chunk_sizes(suite: Suite, pt_len: int, log2_chunk: int) -> Iterator[int]:
    """Ciphertext bytes of every chunk in order."""
    for index in range(chunk_count(pt_len, log2_chunk)):
        yield chunk_size(suite, pt_len, log2_chunk, index)


class RootHasher:
    """ct_root of a payload that arrives in slices of any size.

    leaf i = hash(00 ‖ u64 i ‖ ct_i), node = hash(01 ‖ l ‖ r), RFC 6962 shape. Memory is one hash
    per level of the tree, whatever the size of the payload. Each byte is hashed once.
    """

    __slots__ = ("_index", "_leaf", "_left", "_log2_chunk", "_pt_len", "_roots", "_suite", "size")

    def __init__(self, suite: Suite, pt_len: int, log2_chunk: int) -> None:
        self._suite = suite
        self._pt_len = pt_len
        self._log2_chunk = log2_chunk
        self._roots: list[tuple[int, bytes]] = []  # (leaves below, hash) of full subtrees
        self._index = 0
        self._start_leaf()
        self.size = ciphertext_size(suite, pt_len, log2_chunk)

    @property
    def received(self) -> int:
        """Bytes taken so far."""
        if self._left == 0:
            return self.size
        before = self._index * ((1 << self._log2_chunk) + self._suite.tag_size)
        return before + self._chunk_size() - self._left

    def update(self, part: Octets) -> None:
        """Take the next bytes. Raises Rejected payload.excess at the first byte too many.

        The bytes before the excess one have been taken; a payload with excess is refused anyway.
        """
        rest = memoryview(part).cast("B")
        while len(rest):
            if self._left == 0:
                raise Rejected("payload.excess")
            taken = rest[: self._left]
            self._leaf.update(taken)
            self._left -= len(taken)
            rest = rest[len(taken) :]
            if self._left == 0:
                self._close_leaf()

    def root(self) -> bytes:
        """ct_root. Raises Rejected payload.short while bytes are missing."""
        if self._left:
            raise Rejected("payload.short", f"{self.received} of {self.size}")
        root = self._roots[-1][1]
        for _, left in reversed(self._roots[:-1]):
            root = self._node(left, root)
        return root

    def _chunk_size(self) -> int:
        return chunk_size(self._suite, self._pt_len, self._log2_chunk, self._index)

    def _start_leaf(self) -> None:
        self._left = self._chunk_size()
        self._leaf = self._suite.tree_hash()
        self._leaf.update(b"\x00" + self._index.to_bytes(8, "big"))

    def _close_leaf(self) -> None:
        leaves, root = 1, self._leaf.digest()
        while self._roots and self._roots[-1][0] == leaves:
            leaves, root = leaves * 2, self._node(self._roots.pop()[1], root)
        self._roots.append((leaves, root))
        if self._index + 1 < chunk_count(self._pt_len, self._log2_chunk):
            self._index += 1
            self._start_leaf()

    def _node(self, left: bytes, right: bytes) -> bytes:
        node = self._suite.tree_hash()
        node.update(b"\x01" + left + right)
        return node.digest()


def encrypt_chunk(cipher: Cipher, index: int, count: int, plaintext: Octets) -> bytes:
    """ct_index of `count` chunks."""
    return cipher.seal(index, index == count - 1, plaintext)


def decrypt_chunk(cipher: Cipher, index: int, count: int, ciphertext: Octets) -> bytes:
    """The plaintext of one chunk. Raises Rejected chunk.tag."""
    plaintext = cipher.open(index, index == count - 1, ciphertext)
    if plaintext is None:
        raise Rejected("chunk.tag", str(index))
    return plaintext


def decrypt_chunk_into(
    cipher: Cipher, index: int, count: int, ciphertext: Octets, out: Octets
) -> None:
    """Decrypt one chunk into `out`, exactly the plaintext's size. Raises Rejected chunk.tag."""
    if not cipher.open_into(index, index == count - 1, ciphertext, out):
        raise Rejected("chunk.tag", str(index))
