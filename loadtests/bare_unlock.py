"""The bare loop of `unlock_storm` (裸循环): the same work in one file, without rooms and sockets.

For every command frame, as the client sent it: decode, parse the UNLOCK, verify its signature,
check window, owner and c_B, and write what the journal must hold of it (three chained rows for
three audiences, the answer, the log entry) into the journal's own tables, one fsync per group; then
sign the promise and encode the answer. What a server adds (sockets, queues, roles, refusals,
channels, checks of its own work) is what `unlock_storm` measures.
`python -m loadtests.bare_unlock`, orders on stdin.
"""

import gc
import hashlib
import os
import struct
import time
from hmac import compare_digest
from pathlib import Path
from typing import Any

import apsw
import msgpack
from nacl import bindings

from loadtests.child import obey

GROUP = 256  # commands per commit: what the server's rooms take at most
UNLOCK = struct.Struct(">8s 32s 32s 32s I H H 32s 32s 64s")
ACK = struct.Struct(">8s 32s B 32s B Q Q")

# The journal's own columns and indexes (server/storage/schema.py), as far as an unlock meets them.
TABLES = """
CREATE TABLE event (position INTEGER PRIMARY KEY, stream_id INTEGER, seq INTEGER, epoch INTEGER,
  ts_ms INTEGER, actor TEXT, cmd_id TEXT, type TEXT, ver INTEGER, audience TEXT,
  audience_seq INTEGER, salt BLOB, body BLOB, body_hash BLOB, prev_hash BLOB, hash BLOB) STRICT;
CREATE UNIQUE INDEX event_by_seq ON event (stream_id, seq);
CREATE UNIQUE INDEX event_by_channel ON event (stream_id, audience, audience_seq)
  WHERE audience_seq > 0;
CREATE TABLE answer (stream_id INTEGER, actor TEXT, cmd_id TEXT, answer BLOB,
  PRIMARY KEY (stream_id, actor, cmd_id)) STRICT, WITHOUT ROWID;
CREATE TABLE entry (entry_id INTEGER PRIMARY KEY, server_ms INTEGER, tender_id BLOB, type INTEGER,
  sha256 BLOB UNIQUE, entry BLOB, leaf_index INTEGER, slot INTEGER) STRICT;
CREATE INDEX entry_pending ON entry (server_ms) WHERE leaf_index IS NULL;
CREATE INDEX entry_by_tender ON entry (tender_id, leaf_index, slot);
"""
INSERT_EVENT = f"INSERT INTO event VALUES (NULL{', ?' * 15})"
INSERT_ENTRY = "INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, NULL, NULL)"


def run(
    directory: str, payloads: list[bytes], bids: list[list[Any]], window: dict[str, Any]
) -> dict[str, float]:
    """``bids``: (bid_id, owner's key, AD, c_B, person, organisation) of each. Seconds for all of
    it, and its CPU.
    """
    path = Path(directory) / "bare.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    connection.execute(TABLES)
    _, receipt_key = bindings.crypto_sign_seed_keypair(os.urandom(32))
    known = {bid_id: tuple(rest) for bid_id, *rest in bids}
    loop = _Loop(connection, known, window, receipt_key)
    gc.collect()
    gc.freeze()
    cpu, started = time.process_time(), time.perf_counter()
    answers = 0
    for at in range(0, len(payloads), GROUP):
        answers += len(loop.group(payloads[at : at + GROUP]))
    took = {"total_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu}
    assert answers == len(payloads)
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return took


class _Loop:
    def __init__(
        self,
        connection: apsw.Connection,
        known: dict[bytes, tuple[Any, ...]],
        window: dict[str, Any],
        receipt_key: bytes,
    ) -> None:
        self.connection = connection
        self.known = known
        self.window = window
        self.receipt_key = receipt_key
        self.halves: dict[bytes, bytes] = {}
        self.channels: dict[str, int] = {}
        self.seq, self.head = 0, bytes(32)

    def group(self, payloads: list[bytes]) -> list[bytes]:
        """The answers of one group, after its fsync."""
        rows: list[tuple[Any, ...]] = []
        answers: list[tuple[Any, ...]] = []
        entries: list[tuple[Any, ...]] = []
        promises: list[tuple[int, str, bytes, int]] = []
        for payload in payloads:
            _, n, cmd_id, _, _, args = msgpack.unpackb(payload)
            (raw,) = args["messages"]
            at_ms = time.time_ns() // 1_000_000
            bid_id, half, digest = self.accept(raw, at_ms)
            _, _, _, person, org = self.known[bid_id]
            sealed = {"messages": [raw], "halves": {bid_id: half}, "received_ms": at_ms}
            shown = {"no": 1, "envelopes": [1], "by": "key", "received_ms": at_ms}
            rows.append(self.row("unlock_received", "sealed", person, cmd_id, sealed, at_ms))
            rows.append(self.row("bid_unlocked", "staff", person, cmd_id, shown, at_ms))
            own = f"party:{org}"
            rows.append(self.row("own_bid_unlocked", own, person, cmd_id, shown, at_ms))
            answers.append((1, person, cmd_id, msgpack.packb([True, {}, digest, at_ms])))
            entries.append(self.entry(raw, digest, at_ms))
            promises.append((n, cmd_id, digest, at_ms))
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(INSERT_EVENT, rows)
        self.connection.executemany("INSERT INTO answer VALUES (?, ?, ?, ?)", answers)
        self.connection.executemany(INSERT_ENTRY, entries)
        self.connection.execute("COMMIT")
        return [self.answer(*promise) for promise in promises]

    def accept(self, raw: bytes, received_ms: int) -> tuple[bytes, bytes, bytes]:
        """Everything that could make it unlawful; (bid_id, half, SHA-256 of the message)."""
        window = self.window
        assert len(raw) == UNLOCK.size
        magic, tender_id, nonce, owner, envelope, w, k, bid_id, half, signature = UNLOCK.unpack(raw)
        assert magic == b"KBIDUNL1"
        assert (k, envelope, w) == (1, 1, window["w"])
        assert tender_id == window["tender_id"]
        assert nonce == window["nonce"]
        assert received_ms < window["end_ms"]
        message = b"KBID1 unlock\0" + hashlib.blake2b(raw[:-64]).digest()
        bindings.crypto_sign_open(signature + message, owner)
        registered, ad, c_B, _, _ = self.known[bid_id]
        assert registered == owner
        assert bid_id not in self.halves
        made = hashlib.blake2b(b"KBID1 cB\0" + ad + half, digest_size=32).digest()
        assert compare_digest(made, c_B)
        self.halves[bid_id] = half
        return bid_id, half, hashlib.sha256(raw).digest()

    def row(
        self, kind: str, audience: str, person: str, cmd_id: str, payload: Any, at_ms: int
    ) -> tuple[Any, ...]:
        """A row that continues the chain, hashed as formats.md §6 says."""
        body: Any = msgpack.packb([person, cmd_id, payload])
        salt, before = os.urandom(16), self.head
        self.seq += 1
        place = 0 if audience == "sealed" else self.channels.get(audience, 0) + 1
        self.channels[audience] = place
        hashed = hashlib.sha256(salt + body).digest()
        stub = (
            f'{{"audience":"{audience}","epoch":1,"seq":{self.seq},"stream":"opening:bare",'
            f'"ts_ms":{at_ms},"type":"{kind}","ver":1}}'
        )
        self.head = hashlib.sha256(b"KBROW1\0" + before + hashed + stub.encode()).digest()
        about = (1, self.seq, 1, at_ms, person, cmd_id, kind, 1, audience, place)
        return (*about, salt, body, hashed, before, self.head)

    def entry(self, raw: bytes, digest: bytes, received_ms: int) -> tuple[Any, ...]:
        window = self.window
        text = (
            f'{{"by":"key","nonce":"{window["nonce"].hex()}","received_ms":{received_ms},'
            f'"result":0,"server_ms":{received_ms},"sha256":"{digest.hex()}","size":{len(raw)},'
            f'"tender_id":"{window["tender_id"].hex()}"}}'
        )
        entry = os.urandom(16) + b"\x0a" + text.encode()
        tender_id: bytes = window["tender_id"]
        return received_ms, tender_id, 10, hashlib.sha256(entry).digest(), entry

    def answer(self, n: int, cmd_id: str, digest: bytes, received_ms: int) -> bytes:
        tender_id: bytes = self.window["tender_id"]
        fields = (b"KBIDACK1", tender_id, 3, digest, 0, received_ms, received_ms + 2000)
        body = ACK.pack(*fields)
        message = b"KBID1 ack\0" + hashlib.blake2b(body).digest()
        signature = bindings.crypto_sign(message, self.receipt_key)[:64]
        packed: Any = msgpack.packb(["ok", n, cmd_id, {"acks": [body + signature]}])
        return packed


if __name__ == "__main__":
    obey({"run": run})
