"""The site log (存证日志): one leaf a second, a signed checkpoint over all of them, and proofs.

Invariant: a checkpoint is signed only after the leaves under it are durable, and two checkpoints of
one log are always consistent, because leaves and nodes are only ever added. Ed25519 is
deterministic and the tree of any past size can be rebuilt, so no checkpoint needs to be stored:
signing a past size again gives the same bytes.

``site_tick`` writes the leaves, ``site_nodes`` reads the tree. Norm: sealing.md C13, C14;
formats.md §7.
"""

from __future__ import annotations

import asyncio
from asyncio import to_thread
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from crypto.batch import Batch, seeded_filler
from crypto.canonical import Json
from crypto.checkpoint import Checkpoint, sign_checkpoint
from crypto.keys import SigningKey
from crypto.merkle import merkle_root
from crypto.site_tree import consistency_proof, inclusion_proof, tree_root
from server.storage.errors import StorageUnusable
from server.storage.journal import Journal
from server.storage.site_nodes import STORED_EVERY, SiteNodes, leaf_hashes
from server.storage.site_tick import Built, Gathered, Tick, Ticked
from server.storage.transaction import TICK_MS

BATCHES_REMEMBERED_MAX: Final = 32
LISTENERS_MAX: Final = 64

Listener = Callable[[Checkpoint], None]
Aside = Callable[[Callable[[Gathered], Built], Gathered], Awaitable[Built]]

SELECT_LOGGED: Final = (
    "SELECT entry_id, entry.type, sha256, entry, server_ms, tick_ms, slot, leaf_index"
    " FROM entry JOIN leaf USING (leaf_index)"
)


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry that has its place: ``slot`` of the batch under leaf ``index``."""

    entry_id: int
    type: int
    sha256: bytes
    entry: bytes
    server_ms: int
    tick_ms: int
    slot: int
    index: int

    @property
    def covered_by(self) -> int:
        """The smallest checkpoint size that covers it."""
        return self.index + 1


def _in_a_thread(work: Callable[[Gathered], Built], item: Gathered) -> Awaitable[Built]:
    return to_thread(work, item)


class SiteLog:
    """The log of one site, in the journal's database. ``tick`` runs on the loop; reads anywhere."""

    def __init__(
        self,
        journal: Journal,
        origin: str,
        key: SigningKey,
        *,
        software: str = "kaibiao",
        aside: Aside | None = None,
    ) -> None:
        """``aside(work, item)`` does a second's pure computing where it holds up nobody; without,
        a thread does. Raises StorageUnusable storage.damaged when the newest leaves do not fit
        their tree.
        """
        self._journal = journal
        self._origin = origin
        self._key = key
        self._software = software
        self._aside = aside or _in_a_thread
        self._nodes = SiteNodes(journal.query, remember=True)
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._listeners: list[Listener] = []
        self._ticking = asyncio.Lock()
        newest = journal.query(
            "SELECT leaf_index + 1, tick_ms FROM leaf ORDER BY leaf_index DESC LIMIT 1"
        )
        self._size, self._last_tick_ms = newest[0] if newest else (0, None)
        self._check_tail()
        self._checkpoint = self._sign(self._size) if self._size else None

    # ---- the head

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The newest one; None before the first tick."""
        return self._checkpoint

    @property
    def leaf_count(self) -> int:
        return self._size

    @property
    def last_tick_ms(self) -> int | None:
        """tick_ms of the newest leaf. No server_ms may be smaller than this minus 1000."""
        return self._last_tick_ms

    async def tick(self, now_ms: int) -> Checkpoint:
        """Writes the leaves of all seconds up to ``now_ms`` and publishes the checkpoint.

        Called once a second, soon after the second began. An entry handed to ``Journal.append``
        before this call and with server_ms within those seconds is under the checkpoint. A clock
        that stands or steps back writes nothing. Raises JournalFailed.
        """
        assert now_ms >= TICK_MS
        async with self._ticking:
            work = Tick(now_ms, self._origin, self._software)
            while True:
                ticked = await self._journal.transact(work)
                if isinstance(ticked, Gathered):
                    built = await self._aside(Gathered.build, ticked)
                    ticked = await self._journal.transact(built)
                self._advance(ticked)
                if ticked.tick_ms + TICK_MS > now_ms:
                    break
            assert self._checkpoint is not None
            return self._checkpoint

    def subscribe(self, listener: Listener) -> None:
        """``listener`` is called on the loop after every tick; it must not wait or raise."""
        assert len(self._listeners) < LISTENERS_MAX
        self._listeners.append(listener)

    def checkpoint_at(self, size: int) -> Checkpoint:
        """The checkpoint over the first ``size`` leaves, the same bytes as when it was newest."""
        assert 0 < size <= self._size
        return self._sign(size)

    # ---- what is under it

    def entries(
        self, tender_id: bytes | None, types: Collection[int] | None = None
    ) -> list[Logged]:
        """The entries of a tender (None: of no tender) in log order: second, then slot."""
        if types is None:
            return self._logged("tender_id IS ?", (tender_id,))
        # In SQL: whoever waits for one entry asks every second, on the loop, among thousands.
        among = ", ".join("?" * len(types))
        return self._logged(f"tender_id IS ? AND entry.type IN ({among})", (tender_id, *types))

    def stream_heads(self, stream: str) -> list[Logged]:
        """The HEAD entries of one stream in log order; they bind its journal to the log."""
        return self._logged("stream = ?", (stream,))

    def find(self, entry: bytes | int) -> Logged | None:
        """An entry by SHA-256 or entry_id; None when no leaf holds it (yet)."""
        column = "entry_id" if isinstance(entry, int) else "sha256"
        found = self._logged(f"{column} = ?", (entry,))
        return found[0] if found else None

    def covers(self, entry: bytes | int) -> int | None:
        """The smallest checkpoint size that covers this entry; None while it waits for its tick."""
        logged = self.find(entry)
        return None if logged is None else logged.covered_by

    def proof(self, entry: bytes | int | Logged, size: int | None = None) -> dict[str, Json] | None:
        """The proof object of formats.md §7 up to the tree of ``size`` (None: the newest).

        None when that tree does not hold the entry.
        """
        logged = entry if isinstance(entry, Logged) else self.find(entry)
        to_size: int = self._size if size is None else size
        assert to_size <= self._size
        if logged is None or logged.index >= to_size:
            return None
        path = inclusion_proof(self._nodes, logged.index, to_size)
        return {
            "entry": logged.entry.hex(),
            "slot": logged.slot,
            "siblings": _hex(self._batch(logged.index).siblings(logged.slot)),
            "tick_ms": logged.tick_ms,
            "index": logged.index,
            "size": to_size,
            "path": _hex(path),
        }

    def consistency(self, from_size: int, to_size: int) -> dict[str, Json]:
        """That the tree of ``to_size`` begins with that of ``from_size`` (formats.md §7)."""
        assert 0 < from_size <= to_size <= self._size
        path = consistency_proof(self._nodes, from_size, to_size)
        return {"from": from_size, "to": to_size, "path": _hex(path)}

    # ---- inside

    def _advance(self, ticked: Ticked) -> None:
        if ticked.size == self._size:
            return
        assert ticked.size > self._size
        self._size, self._last_tick_ms = ticked.size, ticked.tick_ms
        self._nodes.learn(ticked.nodes)
        self._checkpoint = self._sign(ticked.size)
        for listener in self._listeners:
            listener(self._checkpoint)

    def _sign(self, size: int) -> Checkpoint:
        root = tree_root(self._nodes, size)
        text = sign_checkpoint(self._origin, size, root, self._key)
        return Checkpoint(self._origin, size, root, text)

    def _logged(self, where: str, bindings: tuple[Any, ...]) -> list[Logged]:
        # A leaf may be in the database already and not be told yet: no checkpoint covers it.
        sql = f"{SELECT_LOGGED} WHERE {where} AND leaf_index < ? ORDER BY leaf_index, slot"
        return [Logged(*row) for row in self._journal.query(sql, (*bindings, self._size))]

    def _batch(self, index: int) -> Batch:
        """The batch tree of a leaf, rebuilt from its entries and the secret of its filler."""
        known = self._batches.get(index)
        if known is None:
            ((tick_ms, secret),) = self._journal.query(
                "SELECT tick_ms, filler_key FROM leaf WHERE leaf_index = ?", (index,)
            )
            entries = self._journal.query(
                "SELECT slot, entry FROM entry WHERE leaf_index = ?", (index,)
            )
            known = Batch(tick_ms, dict(entries), seeded_filler(secret))
            self._batches[index] = known
            if len(self._batches) > BATCHES_REMEMBERED_MAX:
                self._batches.popitem(last=False)
        return known

    def _check_tail(self) -> None:
        """The newest leaves: one a second, entries and nodes what their roots say."""
        first = max(0, (self._size >> STORED_EVERY) - 1) << STORED_EVERY
        leaves = self._journal.query(
            "SELECT leaf_index, tick_ms, batch_root, filler_key FROM leaf"
            " WHERE leaf_index >= ? ORDER BY leaf_index",
            (first,),
        )
        for at, (index, tick_ms, batch_root, secret) in enumerate(leaves, start=first):
            _, newest_ms, _, _ = leaves[-1]
            if index != at or tick_ms != newest_ms - (self._size - 1 - index) * TICK_MS:
                raise StorageUnusable("storage.damaged", f"leaf {at}: not its second")
            if secret is not None and self._batch(index).root != batch_root:
                raise StorageUnusable("storage.damaged", f"leaf {at}: entries")
        if self._size >> STORED_EVERY:
            block = leaf_hashes(self._journal.query, first, 1 << STORED_EVERY)
            if merkle_root(block) != self._nodes(STORED_EVERY, first >> STORED_EVERY):
                raise StorageUnusable("storage.damaged", f"leaves {first}: node above them")


def _hex(hashes: Iterable[bytes]) -> list[Json]:
    return [digest.hex() for digest in hashes]
