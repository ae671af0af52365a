"""Replaying (重放): from a stream's rows to where its room stands.

Invariant: every row that is folded is checked against the one before it first (``check_row``), and
that its place in its channel is the next one. A snapshot only says where to begin.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.domain.events import SEALED, decode
from server.rooms.kinds import Kind
from server.rooms.rows import payload_of
from server.storage.chain import check_row
from server.storage.errors import StorageUnusable
from server.storage.records import EMPTY_STREAM, Head, Row

REPLAY_ROWS = 1000

Read = Callable[[str, int, int], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a room has of its stream up to the row ``head``; ``positions``: audience -> the
    newest seq of its channel.
    """

    state: Any
    head: Head = EMPTY_STREAM
    last_ts_ms: int = 0
    positions: dict[str, int] = field(default_factory=dict[str, int])


def replay(kind: Kind, stream: str, read: Read, since: Standing | None = None) -> Standing:
    """Where ``stream`` stands after its last row.

    ``since``: from where to begin, instead of from the first row. Raises StorageUnusable: a row
    that is not what was written must not become anybody's bid.
    """
    since = since or Standing(kind.initial)
    state, head, last_ts_ms = since.state, since.head, since.last_ts_ms
    positions = dict(since.positions)
    while rows := read(stream, head.seq, REPLAY_ROWS):
        for row in rows:
            check_row(row, head)
            head = Head(row.seq, row.hash)
            state = kind.evolve(state, decode(row.type, row.ver, payload_of(row)), row.ts_ms)
            last_ts_ms = row.ts_ms
            _take_place(row, positions)
    return Standing(state, head, last_ts_ms, positions)


def _take_place(row: Row, positions: dict[str, int]) -> None:
    """The hash does not cover a row's place in its channel: that every place is taken once and in
    order is what shows that nobody has moved or hidden one.
    """
    place = 0 if row.audience == SEALED else positions.get(row.audience, 0) + 1
    if row.audience_seq != place:
        raise StorageUnusable("storage.damaged", f"{row.stream} {row.seq}: place in channel")
    if place:
        positions[row.audience] = place
