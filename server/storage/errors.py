"""How storage says no (拒绝) and how it says that it is broken (故障).

Invariant: a ``Refused`` leaves everything as it was and may be answered to whoever asked; a
``StorageUnusable`` keeps the server from starting; a ``JournalFailed`` means that the disk can no
longer be believed, and the process has to end.
"""

from __future__ import annotations

from server.domain.refusals import Refused


class StorageFull(Refused):
    """The disk has no room for what was announced; nothing of it was written."""

    def __init__(self, wanted: int) -> None:
        super().__init__("upload.storage_full", bytes=wanted)


class StorageUnusable(Exception):
    """The data directory cannot be opened by this process; ``code`` reads ``storage.reason``.

    ``storage.locked`` another server runs on it, ``storage.damaged`` it is not what was written,
    ``storage.newer`` a later version wrote it, ``storage.unsafe`` SQLite would not give the
    durability asked for.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class JournalConflict(AssertionError):
    """A row that does not continue its stream: the caller, not the disk, is wrong.

    An assertion by nature: the room that sent it stops and is rebuilt from the journal. Other items
    of the same group are not touched.
    """


class JournalFailed(Exception):
    """The journal stopped: an fsync or a write failed, or it was closed. Never retried."""
