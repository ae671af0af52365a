"""What each short file of the hot path costs (热路径): its own function alone, on real bids.

`python -m loadtests.costs [--json]`: CPU time of one thread, the median of several rounds; nothing
waits and nothing is sent. The figures stand in docs/performance.md and in the files themselves.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from crypto.ack import ACK_UNLOCK, build_ack
from crypto.batch import Batch, seeded_filler
from crypto.entries import encode_entry
from crypto.keys import SigningKey
from crypto.manifest import Manifest, parse_manifest
from crypto.messages import build_unlock, parse_unlock, signature_ok
from crypto.sealing import bidder_half_matches
from crypto.shares import open_share
from crypto.suites import Suite
from loadtests import machine
from loadtests.bids import Bid, seal
from loadtests.envelopes import seal_files
from loadtests.wire import packed
from server.decryption.bodies import SealedBody, open_into, stamp_of
from server.decryption.forms import SealedForm, open_form
from server.decryption.halves import find, payload_intact
from server.demo.world import TenderPlan, World, build_manifest
from server.domain.due import BidHalves, FormKey
from server.domain.log_entries import UNLOCK
from server.domain.opening_events import BidUnlocked
from server.rooms.rows import RowMaker
from server.storage.records import EMPTY_STREAM, Answer, Append, LogEntry
from server.storage.schema import open_writer
from server.storage.transaction import Transaction
from signaling.channel import Subscriber
from signaling.codec import ChannelKey, Position, decode_client_frame
from signaling.frames import event_payload, events_frame
from signaling.gateway import Event
from signaling.hub import Hub

BIDS, ROUNDS, BODY_MIB, SUBSCRIBERS = 64, 7, 64, 2000
SEED = bytes(32)
ROOM = "costs"
KEY = ChannelKey(f"opening:{ROOM}", "hall")
SECOND = 1000  # entries of one second
PARTS = ("rows", "answers", "entries")


@dataclass(frozen=True, slots=True)
class Cost:
    file: str
    what: str
    us: float


def each(count: int, work: Callable[[], object]) -> float:
    """Microseconds of CPU per piece, the median round of ``work``, which does ``count`` pieces."""
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return machine.median(took) / count * 1e6


def rules_of(world: World) -> Manifest:
    plan = TenderPlan(number=ROOM, title="负载测试", deadline_ms=1_900_000_000_000, body=False)
    raw, _ = build_manifest(
        world,
        plan,
        receipt_pk=SigningKey(b"r" * 32).public,
        log_origin="load.example/kaibiao/log",
        log_pk=SigningKey(b"l" * 32).public,
    )
    return parse_manifest(raw)


def commands(rules: Manifest, bids: list[Bid]) -> list[Cost]:
    """One UNLOCK, from its frame to the row and the promise."""
    messages = [
        build_unlock(
            rules.suite_impl,
            tender_id=rules.tender_id,
            opening_nonce=bytes(32),
            envelope=1,
            w=1,
            items=[(bid.bid_id, bid.half)],
            key=SigningKey(bid.seed),
        )
        for bid in bids
    ]
    frames = [
        packed(["cmd", 1, f"costs-{n:06d}", KEY.room, "unlock", {"messages": [m.raw]}])
        for n, m in enumerate(messages)
    ]
    headers = [bid.header for bid in bids]
    key = SigningKey(SEED)
    rows = RowMaker(KEY.room, 1, EMPTY_STREAM, lambda audience: 0)
    event = BidUnlocked(no=1, envelopes=[1], by="key", received_ms=1)

    def acks() -> None:
        for m in messages:
            build_ack(key, rules.tender_id, ACK_UNLOCK, m.digest, 0, 1, signed_ms=2)

    return [
        Cost(
            "signaling/codec.py",
            "a command's frame, decoded within its limits",
            each(len(bids), lambda: [decode_client_frame(frame) for frame in frames]),
        ),
        Cost(
            "crypto/opening_messages.py",
            "an UNLOCK, parsed",
            each(len(bids), lambda: [parse_unlock(m.raw, rules.suite_impl) for m in messages]),
        ),
        Cost(
            "crypto/keys.py",
            "its signature, verified",
            each(len(bids), lambda: [signature_ok(m, m.bidder_pk) for m in messages]),
        ),
        Cost(
            "crypto/sealing.py",
            "c_B of its half",
            each(
                len(bids),
                lambda: [
                    bidder_half_matches(h, b.half) for h, b in zip(headers, bids, strict=True)
                ],
            ),
        ),
        Cost(
            "server/rooms/rows.py",
            "a row, encoded and chained",
            each(
                len(bids),
                lambda: [rows.make(event, actor="a", cmd_id="c", ts_ms=1) for _ in bids],
            ),
        ),
        Cost("crypto/ack.py", "a promise, signed", each(len(bids), acks)),
    ]


def storage(folder: Path) -> list[Cost]:
    """What is kept of one UNLOCK: three rows, an answer, a log entry; the fsync is the disk's."""
    rows = RowMaker(KEY.room, 1, EMPTY_STREAM, lambda _: 0)
    event = BidUnlocked(no=1, envelopes=[1], by="key", received_ms=1_790_000_000_000)
    members: dict[str, Any] = {"by": "key", "nonce": "00" * 32, "received_ms": 1, "result": 0}
    members |= {"server_ms": 1, "sha256": "00" * 32, "size": 272, "tender_id": "00" * 32}
    connection = open_writer(folder / "costs.db", synchronous="OFF", vfs=None)
    transaction = Transaction(connection, 1)
    number = itertools.count()

    def entry() -> bytes:
        return encode_entry(UNLOCK, members, next(number).to_bytes(16, "big"))

    def append() -> Append:
        at = next(number)
        return Append(
            [rows.make(event, actor="bidder-1", cmd_id=f"cost-{at}", ts_ms=1)[0] for _ in range(3)],
            [Answer(KEY.room, "bidder-1", f"cost-{at}", bytes(80))],
            [LogEntry(1, bytes(32), entry())],
        )

    groups = iter([[append() for _ in range(BIDS)] for _ in range(ROUNDS)])

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        ones = next(groups)
        transaction.append(
            Append(*([part for one in ones for part in getattr(one, of)] for of in PARTS))
        )
        connection.execute("COMMIT")

    slots = {n * 61: entry() for n in range(SECOND)}
    filler = seeded_filler(bytes(32))
    costs = [
        Cost(
            "crypto/entries.py",
            "a log entry, checked and encoded",
            each(BIDS, lambda: [entry() for _ in range(BIDS)]),
        ),
        Cost(
            "server/storage/transaction.py",
            "three rows, an answer and an entry, written",
            each(BIDS, write),
        ),
        Cost(
            "crypto/batch.py",
            "an entry's part of the tree over a second of a thousand",
            each(SECOND, lambda: Batch(0, slots, filler)),
        ),
    ]
    connection.close()
    return costs


def broadcast() -> list[Cost]:
    """One event for everybody, but for the kernel's part."""
    hub, written = Hub(), [0]
    body = packed({"no": 1, "by": "key", "received_ms": 1_790_000_000_000})
    hub.open(KEY, 1, 0)

    def sink(_frame: bytes) -> None:
        written[0] += 1

    for _ in range(SUBSCRIBERS):
        subscriber = Subscriber(sink, is_participant=False)
        hub.subscribe(subscriber, Position(KEY, 1, 0), 0)

    def frame(seq: int) -> bytes:
        return event_payload(KEY, 1, Event(seq, 1, "bid_unlocked", body, bytes(32)))

    seq = [0]

    def deliver() -> None:
        seq[0] += 1
        hub.publish(KEY, 1, seq[0], frame(seq[0]))
        while hub.has_work:
            for write, made in hub.next_slice(256).writes:
                write(made)

    costs = [
        Cost(
            "signaling/frames.py",
            "an event, framed once for all",
            each(BIDS, lambda: [events_frame([frame(1)]) for _ in range(BIDS)]),
        ),
        Cost("signaling/hub.py", "who is written to next, a viewer", each(SUBSCRIBERS, deliver)),
    ]
    assert written[0] == SUBSCRIBERS * ROUNDS
    return costs


def reveal(world: World, rules: Manifest, bids: list[Bid]) -> list[Cost]:
    """One form, from its shares to its fields."""
    halves: list[BidHalves] = []
    for bid in bids:
        shares = {i: open_share(bid.header, i, world.trustees[i - 1].box)[1] for i in (1, 2)}
        halves.append(BidHalves(bid.header, bid.half, shares, frozenset(), None))
    payloads: list[bytes] = [bid.handed_in["payload"] for bid in bids]
    found = [find(one, intact=True, first=(1, 2)) for one in halves]
    forms = [
        SealedForm(FormKey(bid.header, bid.half, one.found.host_half, {}), payload, rules, bid.org)
        for bid, one, payload in zip(bids, found, payloads, strict=True)
    ]
    assert {open_form(form).state for form in forms} == {"opened"}
    return [
        Cost(
            "server/decryption/halves.py",
            "s_H of a bid from two shares, DEAL CHECK for three trustees",
            each(len(bids), lambda: [find(h, intact=True, first=(1, 2)) for h in halves]),
        ),
        Cost(
            "server/decryption/halves.py",
            "the stored bytes of a form against ct_root",
            each(
                len(bids),
                lambda: [payload_intact(h, p) for h, p in zip(halves, payloads, strict=True)],
            ),
        ),
        Cost(
            "server/decryption/forms.py",
            "a form: AEAD, c_P, strict canonical form",
            each(len(bids), lambda: [open_form(form) for form in forms]),
        ),
    ]


def primitives(suite: Suite) -> list[Cost]:
    """What a MiB of a body must go through, each alone."""
    cipher = suite.cipher(bytes(suite.key_size))
    plain, out = bytes(1 << 20), bytearray(1 << 20)
    sealed = cipher.seal(0, True, plain)
    made = {
        "a MiB, the AEAD alone": lambda: cipher.open_into(0, True, sealed, out),
        "a MiB, the hash of c_P alone": lambda: suite.plaintext_hash(plain),
        "a MiB, the hash of ct_root alone": lambda: suite.tree_hash(plain),
    }
    return [
        Cost("crypto/suites/nacl_1.py", said, each(BODY_MIB, lambda w=work: repeat(w)))
        for said, work in made.items()
    ]


def repeat(work: Callable[[], object]) -> None:
    for _ in range(BODY_MIB):
        work()


def bodies(folder: Path) -> list[Cost]:
    """One MiB of a large envelope."""
    (envelope,) = seal_files(folder, 1, BODY_MIB << 20)
    header = envelope.header
    halves = BidHalves(header, envelope.bidder_half, envelope.shares, frozenset(), None)
    costs = primitives(header.suite)
    for said, checked in (
        ("a MiB of a body that STORE_CHECK has hashed", stamp_of(envelope.path)),
        ("a MiB of a body, its root too", None),
    ):
        item = SealedBody(halves, envelope.path, folder / "target", checked)
        assert open_into(item, len) == "opened"
        us = each(BODY_MIB, lambda i=item: open_into(i, len))
        costs.append(Cost("server/decryption/bodies.py", said, us))
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.costs")
    parser.add_argument("--json", action="store_true", help="one JSON object, alone, on stdout")
    arguments = parser.parse_args()
    world = World(SEED, BIDS)
    rules = rules_of(world)
    bids = seal(SEED, ROOM, rules.raw, BIDS)
    with tempfile.TemporaryDirectory(prefix="kaibiao-costs-") as folder:
        costs = [
            *commands(rules, bids),
            *storage(Path(folder)),
            *broadcast(),
            *reveal(world, rules, bids),
            *bodies(Path(folder)),
        ]
    if arguments.json:
        rows: list[list[Any]] = [[cost.file, cost.what, round(cost.us, 2)] for cost in costs]
        print(json.dumps({"name": "costs", "cpus": machine.cpus(), "rows": rows}))
        return
    table = Table(title="µs of CPU")
    for column in ("file", "what", "µs"):
        table.add_column(column)
    for cost in costs:
        table.add_row(cost.file, cost.what, f"{cost.us:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
