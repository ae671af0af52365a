"""What the site log hands out: checkpoints and proofs that anybody can check."""

import apsw
import pytest

from crypto.checkpoint import parse_checkpoint
from crypto.hashes import sha256
from crypto.merkle import leaf_hash, merkle_root
from crypto.site_tree import site_leaf, verify_consistency
from server.storage.errors import StorageUnusable
from server.storage.journal import Append
from tests.storage.logs import KEY, ORIGIN, START_MS, a_log, assert_proves
from tests.storage.streams import TENDER, an_entry


async def test_an_old_checkpoint_is_signed_again_to_the_same_bytes(open_journal):
    log = a_log(open_journal())
    told = [(await log.tick(START_MS + second * 1000)).text for second in range(20)]
    assert [log.checkpoint_at(size).text for size in range(1, 21)] == told
    log._journal.close()
    again = a_log(open_journal())
    assert again.checkpoint.text == told[-1]
    assert [again.checkpoint_at(size).text for size in range(1, 21)] == told


async def test_the_stored_tree_is_the_tree_of_rfc_6962(open_journal):
    """Sizes on both sides of the levels that are stored, against the whole tree recomputed."""
    log = a_log(open_journal())
    await log.tick(START_MS)
    for size in (255, 256, 257, 511, 512, 700):
        await log.tick(START_MS + (size - 1) * 1000)
    leaves = log._journal.query("SELECT tick_ms, batch_root FROM leaf ORDER BY leaf_index")
    hashes = [leaf_hash(site_leaf(*leaf)) for leaf in leaves]
    for size in (1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 699, 700):
        assert parse_checkpoint(log.checkpoint_at(size).text, ORIGIN, KEY.public).root == (
            merkle_root(hashes[:size])
        )
    for older, newer in ((1, 700), (255, 256), (256, 700), (300, 513), (512, 512), (699, 700)):
        told = log.consistency(older, newer)
        assert (told["from"], told["to"]) == (older, newer)
        path = [bytes.fromhex(node) for node in told["path"]]
        roots = [merkle_root(hashes[:size]) for size in (older, newer)]
        verify_consistency(older, roots[0], newer, roots[1], path)


async def test_a_proof_can_end_in_any_later_checkpoint(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    entries = [an_entry(START_MS + 1 + ms) for ms in range(50)]
    await journal.append(Append((), (), entries))
    for second in range(1, 10):
        await log.tick(START_MS + second * 1000)
    slots = {logged.slot for logged in log.entries(TENDER)}
    assert len(slots) == 50
    for size in (2, 3, 10):
        for entry in entries[::7]:
            proof = log.proof(sha256(entry.entry), size)
            assert proof["size"] == size
            assert_proves(log, proof, entry.entry)
    assert log.proof(sha256(entries[0].entry), 1) is None
    assert log.proof(sha256(b"never logged")) is None


async def test_a_receipt_reads_the_same_however_many_share_its_second(open_journal):
    """16 siblings, none of them repeated or zero: nothing in it counts the others."""
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    await journal.append(Append((), (), [an_entry(START_MS + 1)]))
    await log.tick(START_MS + 1000)
    await journal.append(Append((), (), [an_entry(START_MS + 1001) for _ in range(300)]))
    await log.tick(START_MS + 2000)
    shapes = set()
    for logged in log.entries(TENDER):
        proof = log.proof(logged, 3)
        assert len(set(proof["siblings"])) == 16
        shapes.add((len(proof["siblings"]), frozenset(map(len, proof["siblings"]))))
    assert shapes == {(16, frozenset({64}))}


async def test_entries_come_in_log_order_and_by_type(open_journal):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    others = sha256(b"another tender")
    for second in range(1, 4):
        now_ms = START_MS + second * 1000
        mine = [an_entry(now_ms) for _ in range(5)]
        await journal.append(Append((), (), [*mine, an_entry(now_ms, tender_id=others)]))
        await log.tick(now_ms)
    places = [(logged.index, logged.slot) for logged in log.entries(TENDER)]
    assert places == sorted(places)
    assert len(places) == 15
    assert len(log.entries(others)) == 3
    assert log.entries(TENDER, types=[5]) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE leaf SET batch_root = randomblob(32) WHERE leaf_index = 301",
        "UPDATE leaf SET batch_root = randomblob(32) WHERE leaf_index = 3",
        "UPDATE leaf SET tick_ms = tick_ms + 1000 WHERE leaf_index = 302",
        "DELETE FROM leaf WHERE leaf_index = 299",
        "UPDATE node SET hash = randomblob(32) WHERE node_index = 0",
        "UPDATE entry SET entry = randomblob(200) WHERE leaf_index = 301",
    ],
)
async def test_a_log_whose_end_was_changed_is_not_opened(open_journal, sql):
    journal = open_journal()
    log = a_log(journal)
    await log.tick(START_MS)
    await log.tick(START_MS + 300_000)
    await journal.append(Append((), (), [an_entry(START_MS + 300_500)]))
    await log.tick(START_MS + 303_000)
    journal.close()
    connection = apsw.Connection(str(journal.directory / "journal.db"))
    connection.execute(sql)
    assert connection.changes() == 1
    connection.close()
    with pytest.raises(StorageUnusable) as refusal:
        a_log(open_journal())
    assert refusal.value.code == "storage.damaged"
