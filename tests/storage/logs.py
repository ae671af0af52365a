"""A site log for tests, and what a stranger does with a proof out of it."""

from crypto.batch import root_from_siblings
from crypto.checkpoint import parse_checkpoint
from crypto.formats import encode_document
from crypto.keys import SigningKey
from crypto.merkle import leaf_hash, root_from_path
from crypto.site_tree import site_leaf
from server.storage.site_log import Aside, SiteLog

ORIGIN = "hall.jiangzhou.example/kaibiao/log"
KEY = SigningKey(bytes([0x32] * 32))
START_MS = 1_795_138_200_000


def a_log(journal, aside: Aside | None = None) -> SiteLog:
    return SiteLog(journal, ORIGIN, KEY, software="kaibiao test", aside=aside)


def ticks_of(log: SiteLog) -> list[int]:
    return [tick_ms for (tick_ms,) in log._journal.query("SELECT tick_ms FROM leaf ORDER BY 1")]


def types_of(log: SiteLog, tender_id: bytes | None = None) -> list[tuple[int, int]]:
    """(seconds since the start, type) of every entry of a tender, or of none."""
    return [((logged.tick_ms - START_MS) // 1000, logged.type) for logged in log.entries(tender_id)]


def assert_proves(log: SiteLog, proof: dict, entry: bytes) -> None:
    """From the entry's bytes up to a signed root, with the functions a stranger would use."""
    encode_document("Proof", proof)
    assert bytes.fromhex(proof["entry"]) == entry
    siblings = [bytes.fromhex(sibling) for sibling in proof["siblings"]]
    batch_root = root_from_siblings(entry, proof["slot"], siblings)
    leaf = leaf_hash(site_leaf(proof["tick_ms"], batch_root))
    path = [bytes.fromhex(node) for node in proof["path"]]
    root = root_from_path(leaf, proof["index"], proof["size"], path)
    text = log.checkpoint_at(proof["size"]).text
    assert parse_checkpoint(text, ORIGIN, KEY.public).root == root
