"""What goes into the journal and comes out of it: rows, answers, log entries (记录).

Invariant: everything here is a frozen value whose sizes were checked when it was handed over; a
row's bytes are stored verbatim and never re-encoded (formats.md §6).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

BODY_SIZE_MAX: Final = 64 << 20  # a closed list carries every header of its bids
ANSWER_SIZE_MAX: Final = 1 << 20
ENTRY_SIZE_MAX: Final = 4096  # sealing.md C13
ROWS_PER_APPEND_MAX: Final = 16_384  # one command may make a row for each of its opening's bids
ENTRIES_PER_APPEND_MAX: Final = 4096
HASH_SIZE: Final = 32
SALT_SIZE: Final = 16
FIRST_PREV_HASH: Final = bytes(HASH_SIZE)  # formats.md §6: the first prev_hash of a stream

STREAM_NAME: Final = re.compile(r"registry|(?:tender|opening|evaluation):[a-z0-9-]{1,64}")


class Row(Struct, frozen=True):
    """One event as it is kept: ``seq`` is the stream's, ``audience_seq`` the channel's.

    Both are dense from 1. ``audience_seq`` 0 means that the row is in no channel at all.
    """

    stream: str
    seq: int
    epoch: int
    ts_ms: int
    actor: str
    cmd_id: str
    type: str
    ver: int
    audience: str
    audience_seq: int
    salt: bytes
    body: bytes
    body_hash: bytes
    prev_hash: bytes
    hash: bytes


class Head(Struct, frozen=True):
    """The newest row of a stream; ``seq`` 0 and 32 zero bytes before the first."""

    seq: int
    hash: bytes


EMPTY_STREAM: Final = Head(0, FIRST_PREV_HASH)


class Answer(Struct, frozen=True):
    """What a command was answered; a repeat of (stream, actor, cmd_id) gets these bytes again."""

    stream: str
    actor: str
    cmd_id: str
    answer: bytes


class LogEntry(Struct, frozen=True):
    """An entry for the site log: salt16 ‖ u8 type ‖ JCS (``crypto.entries``).

    ``server_ms`` must be the one inside ``entry``; ``tender_id`` is only the index by which the
    entries of a tender are found again (None: of no tender).
    """

    server_ms: int
    tender_id: bytes | None
    entry: bytes


class Append(Struct, frozen=True):
    """What becomes durable together or not at all."""

    rows: Sequence[Row] = ()
    answers: Sequence[Answer] = ()
    entries: Sequence[LogEntry] = ()


def is_stream_name(name: str) -> bool:
    """Whether a stream may have this name (formats.md §6)."""
    return STREAM_NAME.fullmatch(name) is not None


def check_append(item: Append) -> None:
    """The limits of one append. Called by whoever hands it over, so that the fault is theirs."""
    assert len(item.rows) <= ROWS_PER_APPEND_MAX, "too many rows in one append"
    assert len(item.entries) <= ENTRIES_PER_APPEND_MAX, "too many entries in one append"
    # An append is mostly of one stream: its name is looked at once.
    for stream in {row.stream for row in item.rows} | {one.stream for one in item.answers}:
        assert is_stream_name(stream), f"not a stream name: {stream[:80]!r}"
    for row in item.rows:
        assert row.seq > 0, "a row's seq begins at 1"
        assert row.audience_seq >= 0, "a row's audience_seq begins at 1, or is 0"
        assert len(row.body) <= BODY_SIZE_MAX, "row body too long"
        assert len(row.salt) == SALT_SIZE, "row salt has 16 bytes"
        assert len(row.hash) == len(row.prev_hash) == len(row.body_hash) == HASH_SIZE
    for answer in item.answers:
        assert len(answer.answer) <= ANSWER_SIZE_MAX, "answer too long"
    for entry in item.entries:
        assert SALT_SIZE + 1 < len(entry.entry) <= ENTRY_SIZE_MAX, "log entry: wrong size"
        assert entry.tender_id is None or len(entry.tender_id) == HASH_SIZE
