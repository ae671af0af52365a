"""What a stopped site has in its books, against what people were told (对账).

Opened as the next start of the server would open it.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from crypto.entries import decode_entry
from crypto.hashes import sha256
from crypto.keys import SigningKey
from server.rooms.rows import payload_of
from server.storage.journal import Journal, Row
from server.storage.site_log import SiteLog
from signaling.feed import HeardEvent
from tests.faults.hall_process import LOG_ORIGIN
from tests.faults.steady_people import Act

# op -> the event that it leaves exactly once
LEAVES = {
    "register": "bidder_registered",
    "submit": "submit_received",
    "change_deadline": "deadline_changed",
    "sign_in": "bidder_signed_in",
    "unlock": "unlock_received",
    "release": "release_received",
    "start_window": "window_opened",
    "pause": "window_changed",
    "resume": "window_changed",
    "extend": "window_changed",
    "open_all": "all_opened",
    "read_row": "row_read",
    "close_opening": "opening_closed",
}
# What happens once in an opening of one window, however often the server fell.
ONCE = (
    "opening_scheduled",
    "closed_list_taken",
    "bidders_announced",
    "window_opened",
    "window_ended",
    "replies_ended",
    "all_opened",
    "set_frozen",
    "prices_read_out",
)
MESSAGES = {"submit": "SUBMIT", "unlock": "UNLOCK", "release": "RELEASE"}


@dataclass
class Books:
    """The rows, stored answers and log entries of one data directory."""

    journal: Journal
    log: SiteLog

    def rows(self, stream: str) -> list[Row]:
        return self.journal.read(stream, limit=10_000)

    def channel(self, stream: str, audience: str) -> list[Row]:
        return self.journal.read_channel(stream, audience, limit=10_000)

    def check_chains(self) -> None:
        for stream in self.journal.streams():
            assert self.journal.verify(stream).seq == len(self.rows(stream))

    def check_acts(self, acts: Iterable[Act]) -> int:
        """Every acknowledged command stands in the journal once, with the answer that was given."""
        checked = 0
        for act in acts:
            left = [
                row
                for row in self.rows(act.room)
                if (row.actor, row.cmd_id, row.type) == (act.person, act.cmd_id, LEAVES[act.op])
            ]
            repeated = self._was_said_before(act)
            assert len(left) == (0 if repeated else 1), (act.op, act.cmd_id)
            stored = self.journal.answer(act.room, act.person, act.cmd_id)
            assert stored is not None, (act.op, act.cmd_id)
            assert msgpack.unpackb(stored)[0] is True
            self._check_entries(act)
            checked += 1
        return checked

    def _was_said_before(self, act: Act) -> bool:
        """Whether an earlier command of the same person left the event already (sign_in again)."""
        same = [
            row
            for row in self.rows(act.room)
            if row.type == LEAVES[act.op]
            and row.actor == act.person
            and row.cmd_id != act.cmd_id
            and act.op in ("sign_in", "register", "submit", "unlock", "release")
        ]
        return bool(same)

    def _check_entries(self, act: Act) -> None:
        """Each message that was promised is in the log once, as accepted."""
        if act.op not in MESSAGES:
            return
        messages = act.args.get("messages") or [act.args["message"]]
        assert len(act.result["acks"]) == len(messages)
        logged = [
            (decode_entry(raw).type.name, decode_entry(raw).members)
            for (raw,) in self.journal.query("SELECT entry FROM entry")
        ]
        for message in messages:
            digest = sha256(message).hex()
            found = [m for name, m in logged if name == MESSAGES[act.op] and m["sha256"] == digest]
            assert len(found) == 1, (act.op, len(found))
            assert found[0].get("result", 0) == 0

    def check_once(self, stream: str) -> None:
        counts = Counter(row.type for row in self.rows(stream))
        assert {kind: counts[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1)

    def check_heard(self, stream: str, audience: str, heard: list[HeardEvent]) -> None:
        """A client's list is its channel in the journal: nothing twice, nothing missing."""
        kept = [
            (row.audience_seq, row.ts_ms, row.type, row.hash)
            for row in self.channel(stream, audience)
        ]
        assert [(e.seq, e.server_ms, e.kind, e.hash) for e in heard] == kept[: len(heard)]
        assert len(heard) == len(kept), f"{audience}: {len(heard)} of {len(kept)}"

    def payloads(self, stream: str, kind: str) -> list[dict[str, Any]]:
        return [
            msgpack.unpackb(payload_of(row), strict_map_key=False)
            for row in self.rows(stream)
            if row.type == kind
        ]


@contextmanager
def open_books(data: Path) -> Iterator[Books]:
    """Call it from a coroutine, after the site has ended."""
    loop = asyncio.get_running_loop()
    journal = Journal.open(data / "journal", loop=loop, on_failure=_unexpected)
    try:
        key = SigningKey(bytes.fromhex((data / "keys" / "log.key").read_text()))
        yield Books(journal, SiteLog(journal, LOG_ORIGIN, key))
    finally:
        journal.close()


def _unexpected(error: BaseException) -> None:
    raise AssertionError("the journal failed") from error
