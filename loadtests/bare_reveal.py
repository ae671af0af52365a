"""The bare loop of `reveal` (裸循环): from the last RELEASE to one write per socket, in one file.

The same work on the same data as the server does it, in one thread, without rooms, pool and
journal rows: verify and parse the last RELEASE; for each bid combine the shares, check c_H, DEAL
CHECK (c_H again is not asked), derive the key, check c_K, open, check c_P, parse the form
strictly; then one transaction with what was found and what is read out, one encoded event, one
write per socket. It checks no ct_root and names no faulty share; the server does both.
`python -m loadtests.bare_reveal`, orders on stdin.
"""

import gc
import hashlib
import json
import os
import socket
import struct
import time
from hmac import compare_digest
from pathlib import Path
from typing import Any

import apsw
import msgpack
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl import bindings

from loadtests.child import obey
from loadtests.wire import server_frame

RELEASE = struct.Struct(">8s 32s 32s Q 32s I B B 2s I")
ITEM = struct.Struct(">32s B 32s")
ORDER = 2**252 + 27742317777372353535851937790883648493
PLACES = (1, 2)  # whose shares there are; t = 2
FORM_MEMBERS = {"bidder", "fields", "format", "lot", "others"}

_viewers: list[socket.socket] = []
_listener: list[socket.socket] = []


def listen() -> int:
    """The port at which viewers take their seats."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    _listener.append(listener)
    return listener.getsockname()[1]


def accept(count: int) -> None:
    for _ in range(count):
        sock, _ = _listener[0].accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _viewers.append(sock)


def run(
    directory: str, releases: list[bytes], trustee: bytes, bids: list[dict[str, Any]]
) -> dict[str, Any]:
    """``bids``: what a server has ready: the parsed header's fields, s_B, the payload.

    Returns ns of start and of the last write, seconds of each part, CPU seconds.
    """
    path = Path(directory) / f"bare_reveal-{os.getpid()}.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT, body BLOB)")
    first = _items(releases[0])
    gc.collect()
    gc.freeze()
    cpu, started = time.process_time(), time.perf_counter_ns()
    last = _verified(releases[1], trustee)
    factors = _lagrange()
    found: list[tuple[bytes, bytes]] = []
    for bid in bids:
        bid_id = bid["bid_id"]
        host = _host_half(bid, (first[bid_id], last[bid_id]), factors)
        found.append((bid_id, host))
    halves_ns = time.perf_counter_ns()
    forms = [(b, _form(bid, host)) for bid, (b, host) in zip(bids, found, strict=True)]
    forms_ns = time.perf_counter_ns()
    frame = _journaled(connection, found, forms)
    journal_ns = time.perf_counter_ns()
    for sock in _viewers:
        sock.sendall(frame)
    ended = time.perf_counter_ns()
    connection.close()
    return {
        "start_ns": started,
        "written_ns": ended,
        "halves_s": (halves_ns - started) / 1e9,
        "forms_s": (forms_ns - halves_ns) / 1e9,
        "journal_s": (journal_ns - forms_ns) / 1e9,
        "writes_s": (ended - journal_ns) / 1e9,
        "cpu_s": time.process_time() - cpu,
        "frame_bytes": len(frame),
    }


def _items(raw: bytes) -> dict[bytes, bytes]:
    return {bid_id: share for bid_id, status, share in ITEM.iter_unpack(raw[RELEASE.size : -64])}


def _verified(raw: bytes, trustee: bytes) -> dict[bytes, bytes]:
    assert raw.startswith(b"KBIDREL1")
    *_, count = RELEASE.unpack_from(raw)
    assert len(raw) == RELEASE.size + count * ITEM.size + 64
    message = b"KBID1 release\0" + hashlib.blake2b(raw[:-64]).digest()
    bindings.crypto_sign_open(raw[-64:] + message, trustee)
    items = _items(raw)
    assert len(items) == count
    assert all(int.from_bytes(share, "little") < ORDER for share in items.values())
    return items


def _lagrange() -> list[int]:
    factors: list[int] = []
    for i in PLACES:
        above, below = 1, 1
        for j in PLACES:
            if j != i:
                above, below = above * j % ORDER, below * (j - i) % ORDER
        factors.append(above * pow(below, -1, ORDER) % ORDER)
    return factors


def _h(label: bytes, data: bytes, key: bytes = b"", size: int = 32) -> bytes:
    return hashlib.blake2b(label + b"\0" + data, key=key, digest_size=size).digest()


def _host_half(bid: dict[str, Any], shares: tuple[bytes, bytes], factors: list[int]) -> bytes:
    """Combine, check c_H, DEAL CHECK."""
    total = sum(f * int.from_bytes(s, "little") for f, s in zip(factors, shares, strict=True))
    scalar = total % ORDER
    half, ad = scalar.to_bytes(32, "little"), bid["ad"]
    assert scalar
    assert compare_digest(_h(b"KBID1 cH", ad + half), bid["c_H"])
    wide = _h(b"KBID1 poly", ad + b"\x01", half, 64)
    slope = int.from_bytes(wide, "little") % ORDER
    for i, (xpk, box) in enumerate(bid["trustees"], 1):
        share = ((scalar + slope * i) % ORDER).to_bytes(32, "little")
        secret = _h(b"KBID1 eT", ad + bytes([i]), half)
        public = bindings.crypto_scalarmult_base(secret)
        nonce = hashlib.blake2b(public + xpk, digest_size=24).digest()
        made = public + bindings.crypto_box_easy(share + ad, nonce, xpk, secret)
        assert made == box
    return half


def _form(bid: dict[str, Any], host: bytes) -> bytes:
    """c_K, AEAD, c_P, padding, strict JSON. The form's own bytes."""
    ad, key = bid["ad"], bid["half"] + host
    derived = _h(b"KBID1 key", ad, key, 64)
    assert compare_digest(derived[32:], bid["c_K"])
    nonce = bytes(11) + b"\x01"
    plain = ChaCha20Poly1305(derived[:32]).decrypt(nonce, bid["payload"], None)
    inner = hashlib.blake2b(plain, digest_size=32).digest()
    assert compare_digest(_h(b"KBID1 cP", inner, _h(b"KBID1 rP", ad, key)), bid["c_P"])
    raw = plain.rstrip(b"\0")
    assert raw.endswith(b"\x80")
    raw = raw[:-1]
    form = json.loads(raw)
    again = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert again == raw
    assert form.keys() == FORM_MEMBERS
    assert form["bidder"]["code"] == bid["org"]
    assert form["lot"] == 1
    yuan, _, fen = form["fields"]["price"].partition(".")
    assert yuan.isdecimal()
    assert len(fen) == 2
    return raw


def _journaled(
    connection: apsw.Connection, found: list[tuple[bytes, bytes]], forms: list[tuple[bytes, bytes]]
) -> bytes:
    """One transaction; then the frame that everybody gets."""
    rows = [b'{"bid_id":"%s",%s' % (b.hex().encode(), form[1:]) for b, form in sorted(forms)]
    readout = b'{"format":1,"rows":[%s]}' % b",".join(rows)
    frozen = [[b, hashlib.sha256(form).digest()] for b, form in sorted(forms)]
    body: Any = msgpack.packb({"readout": readout, "frozen": frozen})
    rows_of_journal = [("halves_found", msgpack.packb(found)), ("prices_read_out", body)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO event VALUES (NULL, ?, ?)", rows_of_journal)
    connection.execute("COMMIT")
    digest = hashlib.sha256(os.urandom(16) + body).digest()
    head = ["ev", "opening:lt", "hall", 1, 1, 0, "prices_read_out"]
    event = b"\x99" + b"".join(map(_packed, head)) + body + _packed(digest)
    return server_frame(event)


def _packed(value: object) -> bytes:
    raw: Any = msgpack.packb(value)
    return raw


if __name__ == "__main__":
    obey({"listen": listen, "accept": accept, "run": run})
