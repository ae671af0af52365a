"""Rows and log entries as rooms make them, for tests: each one different, all of them in order."""

from itertools import count

from crypto.entries import EntryType, encode_entry
from crypto.hashes import sha256
from crypto.rows import body_hash, row_hash, stub_bytes
from server.storage.journal import Answer, Append, Head, LogEntry, Row
from server.storage.records import EMPTY_STREAM

TENDER = sha256(b"a tender")
_unique = count()


class Stream:
    """Continues one stream from a head."""

    def __init__(self, name: str, epoch: int, head: Head = EMPTY_STREAM) -> None:
        self.name = name
        self.epoch = epoch
        self.head = head
        self.channels: dict[str, int] = {}

    def row(self, body: bytes | None = None, audience: str = "hall", ts_ms: int = 1) -> Row:
        """The next row; ``audience`` "sealed" is in no channel."""
        body = b"row %d" % next(_unique) if body is None else body
        audience_seq = 0
        if audience != "sealed":
            audience_seq = self.channels[audience] = self.channels.get(audience, 0) + 1
        seq, salt = self.head.seq + 1, sha256(body)[:16]
        stub = stub_bytes(
            audience=audience,
            epoch=self.epoch,
            seq=seq,
            stream=self.name,
            ts_ms=ts_ms,
            event_type="happened",
            ver=1,
        )
        hashed = body_hash(salt, body)
        digest = row_hash(self.head.hash, hashed, stub)
        prev_hash, self.head = self.head.hash, Head(seq, digest)
        return Row(
            self.name,
            seq,
            self.epoch,
            ts_ms,
            "host-1",
            f"command-{seq}",
            "happened",
            1,
            audience,
            audience_seq,
            salt,
            body,
            hashed,
            prev_hash,
            digest,
        )

    def item(self, *, body: bytes | None = None, entry_ms: int | None = None) -> Append:
        """One row with its answer, and a log entry if a time for it is given."""
        row = self.row(body)
        answer = Answer(self.name, row.actor, row.cmd_id, b"answer to " + row.body)
        entries = () if entry_ms is None else (an_entry(entry_ms, nonce=row.hash),)
        return Append((row,), (answer,), entries)


def an_entry(server_ms: int, *, tender_id: bytes = TENDER, nonce: bytes | None = None) -> LogEntry:
    """A REPLY_END: the shortest entry a tender has."""
    nonce = sha256(b"nonce %d" % next(_unique)) if nonce is None else nonce
    members = {"nonce": nonce.hex(), "server_ms": server_ms, "tender_id": tender_id.hex()}
    salt = sha256(nonce, server_ms.to_bytes(8, "big"))[:16]
    return LogEntry(server_ms, tender_id, encode_entry(EntryType.REPLY_END, members, salt))
