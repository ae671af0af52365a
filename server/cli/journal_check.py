"""What `kaibiao doctor` finds in a journal: whole chains, and snapshots that agree with them.

A start looks at the rows after a snapshot only; this looks at every row from the first on. Nothing
is written, and a hall may be running on the same directory.
"""

from collections.abc import Callable
from pathlib import Path

import apsw

from server.rooms.kinds import kind_of
from server.rooms.replay import replay
from server.rooms.snapshot_keeper import SnapshotKeeper
from server.storage.errors import StorageUnusable
from server.storage.records import Row
from server.storage.stored_journal import StoredJournal, stored_journal

Finding = tuple[bool, str]


def findings(data: Path, *, allow_test: bool) -> list[Finding]:
    """(good, one line) of the journal and of the snapshots; none where there is no journal yet."""
    try:
        with stored_journal(data / "journal") as journal:
            return [] if journal is None else _look(journal, data, allow_test)
    except (apsw.Error, StorageUnusable) as error:
        return [(False, f"journal: {error}")]


def _look(journal: StoredJournal, data: Path, allow_test: bool) -> list[Finding]:
    keeper = SnapshotKeeper(data / "snapshots", journal)
    rows, used, wrong = 0, 0, list[str]()
    for stream in journal.streams():
        kind = kind_of(stream, allow_test=allow_test)
        since = keeper.since(stream, kind)
        whole = replay(kind, stream, journal.read)
        rows += whole.head.seq
        if since is None:
            continue
        used += 1
        if replay(kind, stream, _until(journal, whole.head.seq), since) != whole:
            wrong.append(stream)
    found = [(True, f"journal: {rows} rows, every chain whole from its first row")]
    if used:
        said = f"delete {', '.join(wrong)}" if wrong else f"{used}, as their rows say"
        found.append((not wrong, f"snapshots: {said}"))
    return found


def _until(journal: StoredJournal, last: int) -> Callable[[str, int, int], list[Row]]:
    """Rows up to ``last``: a hall that is running adds more meanwhile."""
    return lambda stream, after, limit: [
        row for row in journal.read(stream, after, limit) if row.seq <= last
    ]
