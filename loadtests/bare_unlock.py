"""The bare loop of `unlock_storm` (裸循环): the same work in one file, without rooms and sockets.

For every command frame, as the client sent it: decode, parse the UNLOCK, verify its signature,
check window, owner and c_B, make one chained journal row and one log entry, append both to SQLite
with one fsync per group, then sign the promise and encode the answer. What a server adds to this
(sockets, order, roles, refusals, channels, the answer's book) is what `unlock_storm` measures.
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


def run(
    directory: str, payloads: list[bytes], bids: list[list[bytes]], window: dict[str, Any]
) -> dict[str, float]:
    """``bids``: (bid_id, owner's key, AD, c_B) of each. Seconds for all of it, and its CPU."""
    path = Path(directory) / "bare.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    connection.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB, salt BLOB, hash BLOB);"
        "CREATE TABLE entry (entry_id INTEGER PRIMARY KEY, sha256 BLOB UNIQUE, entry BLOB)"
    )
    _, receipt_key = bindings.crypto_sign_seed_keypair(os.urandom(32))
    known = {bid_id: (owner, ad, c_B) for bid_id, owner, ad, c_B in bids}
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
        known: dict[bytes, tuple[bytes, bytes, bytes]],
        window: dict[str, Any],
        receipt_key: bytes,
    ) -> None:
        self.connection = connection
        self.known = known
        self.window = window
        self.receipt_key = receipt_key
        self.halves: dict[bytes, bytes] = {}
        self.seq, self.head = 0, bytes(32)

    def group(self, payloads: list[bytes]) -> list[bytes]:
        """The answers of one group, after its fsync."""
        rows: list[tuple[int, bytes, bytes, bytes]] = []
        entries: list[tuple[bytes, bytes]] = []
        promises: list[tuple[int, str, bytes, int]] = []
        for payload in payloads:
            _, n, cmd_id, _, _, args = msgpack.unpackb(payload)
            (raw,) = args["messages"]
            received_ms = time.time_ns() // 1_000_000
            digest = self.accept(raw, received_ms)
            rows.append(self.row(cmd_id, raw, received_ms))
            entries.append(self.entry(raw, digest, received_ms))
            promises.append((n, cmd_id, digest, received_ms))
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", rows)
        self.connection.executemany("INSERT INTO entry VALUES (NULL, ?, ?)", entries)
        self.connection.execute("COMMIT")
        return [self.answer(*promise) for promise in promises]

    def accept(self, raw: bytes, received_ms: int) -> bytes:
        """Everything that could make it unlawful; the half is kept. SHA-256 of the message."""
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
        registered, ad, c_B = self.known[bid_id]
        assert registered == owner
        assert bid_id not in self.halves
        made = hashlib.blake2b(b"KBID1 cB\0" + ad + half, digest_size=32).digest()
        assert compare_digest(made, c_B)
        self.halves[bid_id] = half
        return hashlib.sha256(raw).digest()

    def row(self, cmd_id: str, raw: bytes, received_ms: int) -> tuple[int, bytes, bytes, bytes]:
        body: Any = msgpack.packb([cmd_id, raw, received_ms])
        salt = os.urandom(16)
        self.seq += 1
        self.head = hashlib.sha256(
            b"KBROW1\0" + self.head + hashlib.sha256(salt + body).digest()
        ).digest()
        return self.seq, body, salt, self.head

    def entry(self, raw: bytes, digest: bytes, received_ms: int) -> tuple[bytes, bytes]:
        window = self.window
        text = (
            f'{{"by":"key","nonce":"{window["nonce"].hex()}","received_ms":{received_ms},'
            f'"result":0,"server_ms":{received_ms},"sha256":"{digest.hex()}","size":{len(raw)},'
            f'"tender_id":"{window["tender_id"].hex()}"}}'
        )
        entry = os.urandom(16) + b"\x0a" + text.encode()
        return hashlib.sha256(entry).digest(), entry

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
