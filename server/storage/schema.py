"""The tables of the journal's database and how a connection to it is set up (数据库结构).

Invariant: a migration, once released, is never edited; ``user_version`` says how many have run.
Each runs in one transaction together with its version, so a power cut leaves all of it or none.
A connection that does not read back the durability it asked for is not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from server.storage.errors import StorageUnusable

DATABASE_NAME: Final = "journal.db"
APPLICATION_ID: Final = 0x4B424A31  # "KBJ1"
PAGE_SIZE: Final = 4096
BUSY_TIMEOUT_MS: Final = 5000
CACHE_KIB: Final = 4096
SYNCHRONOUS: Final = {"OFF": 0, "NORMAL": 1, "FULL": 2, "EXTRA": 3}

# ``position`` is the order of the whole site: what one transaction appended stands together, and
# what a crash could have harmed is at its end. ``leaf`` of a quiet second has no filler key: its
# root is random. ``node`` holds the tree above the leaves (see site_nodes).
MIGRATIONS: Final = (
    """
    CREATE TABLE stream (
      stream_id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      headed_seq INTEGER NOT NULL DEFAULT 0 -- newest row that a HEAD in the site log names
    ) STRICT;
    CREATE TABLE event (
      position INTEGER PRIMARY KEY,
      stream_id INTEGER NOT NULL REFERENCES stream,
      seq INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      ts_ms INTEGER NOT NULL,
      actor TEXT NOT NULL,
      cmd_id TEXT NOT NULL,
      type TEXT NOT NULL,
      ver INTEGER NOT NULL,
      audience TEXT NOT NULL,
      audience_seq INTEGER NOT NULL,
      salt BLOB NOT NULL,
      body BLOB NOT NULL,
      body_hash BLOB NOT NULL,
      prev_hash BLOB NOT NULL,
      hash BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX event_by_seq ON event (stream_id, seq);
    CREATE UNIQUE INDEX event_by_channel ON event (stream_id, audience, audience_seq)
      WHERE audience_seq > 0;
    CREATE TABLE answer (
      stream_id INTEGER NOT NULL REFERENCES stream,
      actor TEXT NOT NULL,
      cmd_id TEXT NOT NULL,
      answer BLOB NOT NULL,
      PRIMARY KEY (stream_id, actor, cmd_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entry (
      entry_id INTEGER PRIMARY KEY,
      server_ms INTEGER NOT NULL,
      tender_id BLOB,
      stream TEXT,
      type INTEGER NOT NULL,
      sha256 BLOB NOT NULL UNIQUE,
      entry BLOB NOT NULL,
      leaf_index INTEGER,
      slot INTEGER
    ) STRICT;
    CREATE INDEX entry_pending ON entry (server_ms) WHERE leaf_index IS NULL;
    CREATE UNIQUE INDEX entry_by_leaf ON entry (leaf_index, slot) WHERE leaf_index IS NOT NULL;
    CREATE INDEX entry_by_tender ON entry (tender_id, leaf_index, slot);
    CREATE INDEX entry_by_stream ON entry (stream, leaf_index) WHERE stream IS NOT NULL;
    CREATE TABLE leaf (
      leaf_index INTEGER PRIMARY KEY,
      tick_ms INTEGER NOT NULL,
      batch_root BLOB NOT NULL,
      filler_key BLOB
    ) STRICT;
    CREATE TABLE node (
      level INTEGER NOT NULL,
      node_index INTEGER NOT NULL,
      hash BLOB NOT NULL,
      PRIMARY KEY (level, node_index)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE counter (
      name TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO counter VALUES ('epoch', 0), ('started_epoch', 0), ('headed_position', 0);
    """,
)


def open_writer(path: Path, *, synchronous: str, vfs: str | None) -> apsw.Connection:
    """The one write connection, migrated to the newest schema.

    Raises StorageUnusable: storage.newer, storage.unsafe, storage.damaged.
    """
    connection = apsw.Connection(str(path), vfs=vfs)
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        _set_up(connection, synchronous)
        _migrate(connection)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        connection.close(True)
        raise StorageUnusable("storage.damaged", str(error)) from error
    except BaseException:
        connection.close(True)
        raise
    return connection


def open_copier(path: Path, *, synchronous: str, vfs: str | None) -> apsw.Connection:
    """A second write connection, only for copying the WAL back, as safely as the first."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    connection.pragma("synchronous", synchronous)
    connection.wal_autocheckpoint(0)
    return connection


def open_reader(path: Path, *, vfs: str | None) -> apsw.Connection:
    """A connection that can only read."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.pragma("cell_size_check", 1)
    return connection


def _set_up(connection: apsw.Connection, synchronous: str) -> None:
    """WAL and a real fsync at every COMMIT, read back: a pragma that is refused says nothing."""
    mode = connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", synchronous)
    level = connection.pragma("synchronous")
    if mode != "wal" or level != SYNCHRONOUS[synchronous]:
        raise StorageUnusable("storage.unsafe", f"journal_mode {mode}, synchronous {level}")
    connection.wal_autocheckpoint(0)  # wal_keeper.py says when
    connection.pragma("foreign_keys", 1)
    connection.pragma("cell_size_check", 1)
    connection.pragma("trusted_schema", 0)
    connection.pragma("temp_store", "memory")
    # What is read again is the edge of each tree; a larger cache only fills with pages that nobody
    # asks for (0.4 MiB a minute of a busy centre). A group stays in memory until its COMMIT.
    connection.pragma("cache_size", -CACHE_KIB)
    connection.pragma("cache_spill", 0)


def _migrate(connection: apsw.Connection) -> None:
    version = connection.pragma("user_version")
    if version > len(MIGRATIONS):
        raise StorageUnusable("storage.newer", f"schema {version}, known {len(MIGRATIONS)}")
    if version and connection.pragma("application_id") != APPLICATION_ID:
        raise StorageUnusable("storage.damaged", "not a journal of ours")
    for number in range(version, len(MIGRATIONS)):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(MIGRATIONS[number])
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", number + 1)
        connection.execute("COMMIT")
