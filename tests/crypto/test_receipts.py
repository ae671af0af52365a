"""Receipts: each entry is proved to every later checkpoint."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.batch import Batch, seeded_filler
from crypto.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from crypto.entries import decode_entry, encode_entry
from crypto.errors import Rejected
from crypto.formats import encode_document
from crypto.hashes import sha256
from crypto.messages import build_ack
from crypto.objects.entry import EntryType
from crypto.receipts import (
    Proof,
    Receipt,
    build_proof,
    closed_list_root,
    closed_path,
    consistency_json,
    encode_receipt,
    in_closed_list,
    parse_proof,
    parse_receipt,
    verify_consistency_json,
    verify_proof,
    verify_receipt,
)
from crypto.site_tree import append, consistency_proof, site_leaf, tree_root
from tests.crypto.format_vectors import LOG_KEY, MANIFEST, RECEIPT_KEY, document, entry

TICK_MS = 1_795_138_300_000
ORIGIN = MANIFEST.log.origin


class Log:
    """A site log in memory: one batch a second."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def tick(self, entries: dict[int, bytes]) -> Batch:
        batch = Batch(TICK_MS + 1000 * self.size, entries, seeded_filler(bytes(32)))
        leaf = site_leaf(batch.tick_ms, batch.root)
        for level, index, node in append(self.node, self.size, [leaf]):
            self.nodes[level, index] = node
        self.size += 1
        return batch

    def head(self, size: int) -> Checkpoint:
        text = sign_checkpoint(ORIGIN, size, tree_root(self.node, size), LOG_KEY)
        return parse_checkpoint(text, ORIGIN, LOG_KEY.public)


def an_entry(number: int, server_ms: int) -> bytes:
    members = decode_entry(entry("HEAD")).members | {"seq": number + 1, "server_ms": server_ms}
    return encode_entry(EntryType.HEAD, members, bytes([number]) * 16)


@given(st.integers(1, 40), st.data())
def test_every_entry_of_a_log_is_proved_to_every_later_checkpoint(
    seconds: int, data: st.DataObject
) -> None:
    log, batches = Log(), list[tuple[Batch, dict[int, bytes]]]()
    for second in range(seconds):
        entries = {slot: an_entry(slot, TICK_MS + 1000 * second) for slot in range(second % 3)}
        batches.append((log.tick(entries), entries))
    at = data.draw(st.integers(0, seconds - 1))
    size = data.draw(st.integers(at + 1, seconds))
    batch, entries = batches[at]
    for slot, raw in entries.items():
        proof = build_proof(batch, raw, slot, nodes=log.node, index=at, size=size)
        assert verify_proof(proof, log.head(size)).raw == raw
        assert parse_proof(encode_document("Proof", proof.as_json())) == proof


@given(st.integers(1, 40), st.data())
def test_later_checkpoints_continue_earlier_ones(size: int, data: st.DataObject) -> None:
    log = Log()
    for _ in range(size):
        log.tick({})
    old = data.draw(st.integers(1, size))
    value = consistency_json(old, size, consistency_proof(log.node, old, size))
    verify_consistency_json(value, log.head(old), log.head(size))
    with pytest.raises(Rejected, match=r"proof\.size"):
        verify_consistency_json(value | {"from": old + 1}, log.head(old), log.head(size))


@pytest.mark.parametrize("late_ms", [-1, 2001])
def test_an_entry_is_logged_within_two_seconds(late_ms: int) -> None:
    log = Log()
    raw = an_entry(1, TICK_MS - late_ms)
    batch = log.tick({9: raw})
    proof = build_proof(batch, raw, 9, nodes=log.node, index=0, size=1)
    with pytest.raises(Rejected, match=r"proof\.tick"):
        verify_proof(proof, log.head(1))


@given(st.integers(1, 30), st.data())
def test_the_closed_list_shows_who_is_in_it(count: int, data: st.DataObject) -> None:
    digests = [sha256(bytes([number])) for number in range(count)]
    root = closed_list_root(digests)
    assert closed_list_root(digests[::-1]) == root
    mine = data.draw(st.sampled_from(digests))
    path = closed_path(digests, mine)
    assert in_closed_list(mine, path, count, root)
    assert not in_closed_list(sha256(b"mine"), path, count, root)
    assert not in_closed_list(mine, [*path, root], count, root)
    assert not in_closed_list(mine, path, 0, root)


def test_an_empty_closed_list_is_the_hash_of_nothing() -> None:
    assert closed_list_root([]) == sha256()


def a_receipt(
    entry_type: EntryType, kind: int, changes: dict[str, Any], result: int = 0
) -> Receipt:
    """A receipt whose entry says what the promise says, but for ``changes``."""
    message = b"what was sent"
    received_ms = TICK_MS - 500
    ack = build_ack(RECEIPT_KEY, MANIFEST.tender_id, kind, sha256(message), result, received_ms)
    members: dict[str, Any] = dict(decode_entry(entry(entry_type.name)).members)
    said = {
        "sha256": sha256(message).hex(),
        "size": len(message),
        "received_ms": received_ms,
        "result": result,
        "server_ms": TICK_MS - 100,
    }
    members |= {name: value for name, value in said.items() if name in members}
    raw = encode_entry(entry_type, members | changes, bytes(16))
    log = Log()
    batch = log.tick({77: raw})
    return Receipt(
        ack=ack.raw,
        checkpoint=log.head(1).text,
        closed_path=None,
        message=message,
        proof=build_proof(batch, raw, 77, nodes=log.node, index=0, size=1),
    )


@pytest.mark.parametrize(
    ("entry_type", "kind", "changes"),
    [
        (EntryType.SUBMIT, 1, {"kind": 1}),
        (EntryType.SUBMIT, 2, {"kind": 2}),
        (EntryType.UNLOCK, 3, {"by": "key"}),
        (EntryType.UNLOCK, 4, {"by": "card"}),
        (EntryType.SELF_RELEASE, 5, {}),
        (EntryType.RELEASE, 6, {}),
        (EntryType.OBJECTION, 7, {}),
    ],
)
def test_each_kind_of_promise_has_its_entry(
    entry_type: EntryType, kind: int, changes: dict[str, Any]
) -> None:
    receipt = a_receipt(entry_type, kind, changes)
    shown = verify_receipt(parse_receipt(encode_receipt(receipt)), MANIFEST)
    assert (shown.ack.kind, shown.entry.type) == (kind, entry_type)
    for other in range(1, 8):
        if other != kind:
            with pytest.raises(Rejected, match=r"receipt\.entry"):
                verify_receipt(a_receipt(entry_type, other, changes), MANIFEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"result": 1},
        {"sha256": "00" * 32},
        {"size": 1},
        {"received_ms": TICK_MS - 501},
        {"tender_id": "00" * 32},
    ],
)
def test_an_entry_that_says_something_else_than_the_promise_is_named(changes: Any) -> None:
    with pytest.raises(Rejected, match=r"receipt\.entry"):
        verify_receipt(a_receipt(EntryType.SUBMIT, 1, changes), MANIFEST)


def test_a_refusal_is_a_receipt_too() -> None:
    shown = verify_receipt(a_receipt(EntryType.SUBMIT, 1, {}, result=2), MANIFEST)
    assert (shown.ack.result, shown.entry.members["result"]) == (2, 2)
    with pytest.raises(Rejected, match=r"receipt\.entry"):
        verify_receipt(a_receipt(EntryType.RELEASE, 6, {}, result=2), MANIFEST)


def test_the_example_receipt_is_written_as_it_was_read() -> None:
    raw = document("receipt")
    receipt = parse_receipt(raw)
    assert encode_receipt(receipt) == raw
    assert isinstance(receipt.proof, Proof)
    assert verify_receipt(receipt, MANIFEST).checkpoint.size == 6
