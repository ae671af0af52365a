"""Opening a journal: one process, a new epoch, and nothing that is not what was written."""

import asyncio
import subprocess
import sys

import apsw
import pytest

from server.storage.errors import StorageUnusable
from server.storage.journal import Append, Journal
from server.storage.schema import MIGRATIONS
from tests.storage.streams import Stream


async def test_the_writer_has_the_durability_it_asked_for(open_journal):
    journal = open_journal()
    asked = await journal.transact(
        lambda transaction: [
            transaction.connection.pragma(name) for name in ("journal_mode", "synchronous")
        ]
    )
    assert asked == ["wal", 2]


async def test_every_opening_is_a_new_epoch(open_journal):
    for epoch in (1, 2, 3):
        journal = open_journal()
        assert journal.epoch == epoch
        journal.close()


async def test_another_process_is_refused_the_directory(open_journal):
    journal = open_journal()
    program = (
        "import asyncio, pathlib, sys\n"
        "from server.storage.journal import Journal\n"
        "loop = asyncio.new_event_loop()\n"
        "Journal.open(pathlib.Path(sys.argv[1]), loop=loop, on_failure=print)\n"
    )
    command = [sys.executable, "-c", program, str(journal.directory)]
    answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert answer.returncode != 0
    assert "storage.locked" in answer.stderr
    journal.close()
    open_journal()


def _alter(journal: Journal, sql: str) -> None:
    connection = apsw.Connection(str(journal.directory / "journal.db"))
    connection.execute(sql)
    connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE event SET body = x'00' WHERE seq = 3",
        "UPDATE event SET hash = zeroblob(32) WHERE seq = 5",
        "UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 3",
        "UPDATE event SET audience = 'staff' WHERE seq = 3",
        "DELETE FROM event WHERE seq = 3",
        "PRAGMA application_id = 1",
    ],
)
async def test_a_tampered_journal_is_not_opened(open_journal, sql):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    await journal.append(Append([stream.row() for _ in range(5)]))
    journal.close()
    _alter(journal, sql)
    with pytest.raises(StorageUnusable) as refusal:
        open_journal()
    assert refusal.value.code == "storage.damaged"


async def test_a_whole_stream_can_be_verified_beyond_the_tail(open_journal):
    journal = open_journal()
    old, new = Stream("opening:old", journal.epoch), Stream("opening:new", journal.epoch)
    await journal.append(Append([old.row() for _ in range(5)]))
    await journal.append(Append([new.row() for _ in range(2100)]))
    journal.close()
    _alter(journal, "UPDATE event SET body = x'00' WHERE position = 2")
    journal = open_journal()  # the newest rows are sound
    assert journal.verify("opening:new").seq == 2100
    with pytest.raises(StorageUnusable, match="opening:old 2: body"):
        journal.verify("opening:old")


async def test_a_journal_of_a_later_version_is_left_alone(open_journal):
    journal = open_journal()
    journal.close()
    _alter(journal, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StorageUnusable) as refusal:
        open_journal()
    assert refusal.value.code == "storage.newer"


async def test_a_file_that_is_no_database_is_not_overwritten(open_journal, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_bytes(b"something else entirely" * 400)
    with pytest.raises(StorageUnusable) as refusal:
        open_journal()
    assert refusal.value.code == "storage.damaged"
    assert (tmp_path / "data" / "journal.db").read_bytes().startswith(b"something else")
