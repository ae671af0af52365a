"""Writing the leaves of the site log (每秒一叶): a tick inside the writer's transaction.

Invariant (sealing.md C13, C14): one leaf for every second since the first, tick_ms strictly rising
by 1000; an entry goes under the first second not yet written that is not before its server_ms, so
server_ms lies within [tick_ms - 2000, tick_ms]. The entries, the leaf, the tree and the HEADs of
what moved become durable together.

After a crash the missed seconds are written with their nominal tick_ms. Entries that had been
acknowledged and not yet ticked go under their own nominal second, as the rule says: it is the
crash's last second, and the promise of the receipt is kept. Every other missed second holds none.

Measured (`python -m loadtests.costs`, 2026-11-22): 10 us of CPU an entry for the tree of a second
that holds a thousand. Rows would wait for their commit meanwhile, so the tree of a second with more
than a few entries is built beside the writer, between two transactions: after the first its entries
are told apart, and nothing that comes later can belong to it. A crash between the two leaves them
as entries that were not yet ticked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from crypto.batch import Batch, free_slot, seeded_filler
from crypto.entries import EntryType, encode_entry
from crypto.keys import random_bytes
from crypto.site_tree import Node, append, site_leaf
from server.storage.records import SALT_SIZE
from server.storage.site_nodes import SiteNodes, is_stored
from server.storage.transaction import ENTRY_AGE_MAX_MS, TICK_MS, Transaction

LEAVES_PER_TRANSACTION_MAX: Final = 10_000
BUILT_AT_ONCE_MAX: Final = 32  # entries whose trees the writer builds itself
NODES_TOLD_MAX: Final = 1024

Waiting = tuple[int, bytes]  # entry_id, entry
Leaf = tuple[int, int, bytes, bytes | None]  # leaf_index, tick_ms, batch_root, filler_key

PLACE_ENTRIES: Final = (
    "UPDATE entry SET leaf_index = place.value ->> 1, slot = place.value ->> 2"
    " FROM json_each(?) AS place WHERE entry_id = place.value ->> 0"
)


@dataclass(frozen=True, slots=True)
class Ticked:
    """How far the log has come; ``nodes`` are the tree's new ones, unless they are very many."""

    size: int
    tick_ms: int
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """The seconds up to ``now_ms``, or the first 10,000 of them after a long outage."""

    now_ms: int
    origin: str
    software: str

    def __call__(self, transaction: Transaction) -> Ticked | Gathered:
        """Runs in the writer thread; see ``Journal.transact`` for what it may not do."""
        connection = transaction.connection
        newest = "SELECT leaf_index + 1, tick_ms FROM leaf ORDER BY leaf_index DESC LIMIT 1"
        size, last_ms = connection.execute(newest).get or (0, None)
        end_ms = self.now_ms // TICK_MS * TICK_MS
        if last_ms is None:
            # The log begins with the second of its first entry, if that came before the first tick.
            sql = "SELECT min(server_ms) FROM entry WHERE leaf_index IS NULL"
            first_ms = connection.execute(sql).get
            last_ms = min(end_ms, _tick_of(end_ms if first_ms is None else first_ms)) - TICK_MS
        if end_ms <= last_ms:
            return Ticked(size, last_ms)
        reach_ms = min(end_ms, last_ms + LEAVES_PER_TRANSACTION_MAX * TICK_MS)
        if reach_ms == end_ms:
            self._add_own_entries(transaction, end_ms)
        batches = _waiting_until(transaction, last_ms + TICK_MS, reach_ms)
        gathered = Gathered(size, range(last_ms + TICK_MS, reach_ms + 1, TICK_MS), batches)
        if sum(map(len, batches.values())) > BUILT_AT_ONCE_MAX:
            return gathered
        return gathered.build()(transaction)

    def _add_own_entries(self, transaction: Transaction, tick_ms: int) -> None:
        """SITE_START once an epoch; HEAD of every stream that moved since the last tick."""
        connection = transaction.connection
        sql = "UPDATE counter SET value = ? WHERE name = 'started_epoch' AND value < ?"
        connection.execute(sql, (transaction.epoch, transaction.epoch))
        if connection.changes():
            start = {"epoch": transaction.epoch, "log_origin": self.origin}
            members = {**start, "server_ms": tick_ms, "software": self.software}
            transaction.add_own_entry(tick_ms, None, _entry(EntryType.SITE_START, members))
        # Only rows of this second or earlier: a tick runs a little after its second, and a HEAD
        # must not be older than the row it names. Within a stream ts_ms rises with seq.
        moved = (
            "SELECT name, max(seq), hash FROM event JOIN stream USING (stream_id)"
            " WHERE position > (SELECT value FROM counter WHERE name = 'headed_position')"
            " AND seq > headed_seq AND ts_ms <= ? GROUP BY stream_id ORDER BY name"
        )
        heads: list[tuple[Any, ...]] = connection.execute(moved, (tick_ms,)).fetchall()
        for stream, seq, digest in heads:
            members = {"hash": digest.hex(), "seq": seq, "server_ms": tick_ms, "stream": stream}
            transaction.add_own_entry(tick_ms, stream, _entry(EntryType.HEAD, members))
            connection.execute("UPDATE stream SET headed_seq = ? WHERE name = ?", (seq, stream))
        connection.execute(
            "UPDATE counter SET value = coalesce("
            "(SELECT min(position) - 1 FROM event WHERE position > value AND ts_ms > ?),"
            " (SELECT max(position) FROM event), 0) WHERE name = 'headed_position'",
            (tick_ms,),
        )


def _entry(kind: int, members: dict[str, Any]) -> bytes:
    return encode_entry(kind, members, random_bytes(SALT_SIZE))


def _tick_of(server_ms: int) -> int:
    """The first second that is not before ``server_ms``."""
    return -(-server_ms // TICK_MS) * TICK_MS


def _waiting_until(
    transaction: Transaction, first_ms: int, last_ms: int
) -> dict[int, list[Waiting]]:
    """The waiting entries by the second each goes under, in the order they were appended."""
    batches: dict[int, list[Waiting]] = defaultdict(list)
    for entry_id, server_ms, entry in transaction.pending_entries():
        if server_ms > last_ms:
            continue
        tick_ms = max(first_ms, _tick_of(server_ms))
        assert tick_ms - server_ms <= ENTRY_AGE_MAX_MS, "the transaction refuses older ones"
        batches[tick_ms].append((entry_id, entry))
    return batches


@dataclass(frozen=True, slots=True)
class Gathered:
    """Seconds that are over, from leaf ``size`` on, and the entries of those that have any."""

    size: int
    ticks: range
    batches: dict[int, list[Waiting]]

    def build(self) -> Built:
        """Gives every entry its slot and every second its root. Pure computing, in any thread."""
        leaves: list[Leaf] = []
        places: list[tuple[int, int, int]] = []
        for index, tick_ms in enumerate(self.ticks, start=self.size):
            waiting = self.batches.get(tick_ms)
            if waiting is None:
                leaves.append((index, tick_ms, random_bytes(32), None))
                continue
            slots: dict[int, bytes] = {}
            for entry_id, entry in waiting:
                slot = free_slot(slots, _draw)
                slots[slot] = entry
                places.append((entry_id, index, slot))
            secret = random_bytes(32)
            root = Batch(tick_ms, slots, seeded_filler(secret)).root
            leaves.append((index, tick_ms, root, secret))
        return Built(leaves, places)


@dataclass(frozen=True, slots=True)
class Built:
    """Leaves ready to be written, and (entry_id, leaf_index, slot) of every entry under them."""

    leaves: list[Leaf]
    places: list[tuple[int, int, int]]

    def __call__(self, transaction: Transaction) -> Ticked:
        """Runs in the writer thread."""
        connection = transaction.connection
        size, tick_ms = self.leaves[0][0], self.leaves[-1][1]
        if self.places:
            # One statement for all, as in transaction.py.
            connection.execute(PLACE_ENTRIES, (json.dumps(self.places),))
        connection.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?)", self.leaves)
        nodes = SiteNodes(connection.execute, remember=False)
        new = [site_leaf(tick_ms, root) for _, tick_ms, root, _ in self.leaves]
        written = append(nodes, size, new)
        connection.executemany(
            "INSERT INTO node VALUES (?, ?, ?)", (node for node in written if is_stored(node[0]))
        )
        transaction.ticked(tick_ms, {entry_id for entry_id, _, _ in self.places})
        told = tuple(written) if len(written) <= NODES_TOLD_MAX else ()
        return Ticked(size + len(new), tick_ms, told)


def _draw(below: int) -> int:
    assert (1 << 16) % below == 0  # so that the remainder is uniform
    return int.from_bytes(random_bytes(2), "big") % below
