"""A small site log for tests: one leaf a second, every entry kept with its place (日志样品)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crypto.batch import Batch, seeded_filler
from crypto.checkpoint import sign_checkpoint
from crypto.entries import encode_entry
from crypto.hashes import sha256
from crypto.keys import SigningKey
from crypto.receipts import build_proof
from crypto.site_tree import append, consistency_proof, site_leaf, tree_root


@dataclass
class Kept:
    """An entry that waits for its second, or has it: index and slot."""

    entry: bytes
    public: bool
    slot: int
    index: int = -1


class LogMaker:
    """Appends entries at given moments; seconds without entries get a leaf of their own."""

    def __init__(self, origin: str, key: SigningKey, start_ms: int) -> None:
        self.origin, self.key = origin, key
        self.tick_ms = start_ms
        self.size = 0
        self.kept: list[Kept] = []
        self.batches: list[Batch] = []
        self.at_tick: Callable[[], None] | None = None  # may still add entries of the second
        self._waiting: list[Kept] = []
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._drawn = 0

    def _salt(self) -> bytes:
        self._drawn += 1
        return sha256(b"salt", self._drawn.to_bytes(4, "big"))

    def add(self, entry_type: int, members: dict[str, Any], *, public: bool = True) -> Kept:
        """Log an entry in the second of its server_ms; seconds before it are closed first."""
        self.tick_until(members["server_ms"] - 1)
        return self.add_now(entry_type, members, public=public)

    def add_now(self, entry_type: int, members: dict[str, Any], *, public: bool = True) -> Kept:
        """Log an entry in the running second, whatever its server_ms says."""
        salt = self._salt()
        slot = int.from_bytes(salt[16:18], "big")
        kept = Kept(encode_entry(entry_type, members, salt[:16]), public, slot)
        self._waiting.append(kept)
        self.kept.append(kept)
        return kept

    def add_raw(self, entry: bytes) -> None:
        """Log bytes that no honest program would."""
        kept = Kept(entry, True, int.from_bytes(self._salt()[16:18], "big"))
        self._waiting.append(kept)
        self.kept.append(kept)

    def tick(self) -> None:
        """Close the running second: exactly one leaf."""
        if self.at_tick is not None:
            self.at_tick()
        self.tick_ms += 1000
        filler = seeded_filler(sha256(b"filler", self.tick_ms.to_bytes(8, "big")))
        entries: dict[int, bytes] = {}
        for kept in self._waiting:
            while kept.slot in entries:
                kept.slot = (kept.slot + 1) % 65_536
            kept.index = self.size
            entries[kept.slot] = kept.entry
        self._waiting = []
        batch = Batch(self.tick_ms, entries, filler)
        self.batches.append(batch)
        for level, at, node in append(self._node, self.size, [site_leaf(self.tick_ms, batch.root)]):
            self._nodes[level, at] = node
        self.size += 1

    def tick_until(self, moment_ms: int) -> None:
        """Close every second that is over at this moment."""
        while self.tick_ms + 1000 <= moment_ms:
            self.tick()

    def _node(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]

    def root(self, size: int) -> bytes:
        return tree_root(self._node, size)

    def checkpoint(self, size: int | None = None) -> str:
        """The signed head of the first `size` leaves."""
        size = self.size if size is None else size
        return sign_checkpoint(self.origin, size, self.root(size), self.key)

    def consistency(self, old: int, new: int) -> dict[str, Any]:
        path = [node.hex() for node in consistency_proof(self._node, old, new)]
        return {"from": old, "to": new, "path": path}

    def proof(self, kept: Kept, size: int | None = None) -> dict[str, Any]:
        """The proof of an entry to the head of `size` leaves."""
        return build_proof(
            self.batches[kept.index],
            kept.entry,
            kept.slot,
            nodes=self._node,
            index=kept.index,
            size=self.size if size is None else size,
        ).as_json()
