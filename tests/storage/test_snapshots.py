"""Snapshots are believed only while the journal agrees; without them everything is the same."""

import pytest

from server.storage.journal import Append
from server.storage.snapshots import Snapshots
from tests.storage.streams import Stream


@pytest.fixture
async def journal(open_journal):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    await journal.append(Append([stream.row() for _ in range(5)]))
    return journal


async def test_a_snapshot_comes_back_with_its_row(journal, tmp_path):
    snapshots = Snapshots(tmp_path / "snapshots", journal)
    assert snapshots.load("opening:a") is None
    snapshots.save("opening:a", 3, b"state after three")
    snapshots.save("opening:a", 5, b"state after five")
    assert snapshots.load("opening:a") == (5, b"state after five")
    assert snapshots.load("opening:b") is None


async def test_a_snapshot_that_is_torn_or_altered_is_ignored(journal, tmp_path):
    snapshots = Snapshots(tmp_path / "snapshots", journal)
    snapshots.save("opening:a", 5, b"state")
    (file,) = (tmp_path / "snapshots").iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole[:40], bytes([whole[0] ^ 1]) + whole[1:], whole + b"x"):
        file.write_bytes(damaged)
        assert snapshots.load("opening:a") is None
    file.write_bytes(whole)
    assert snapshots.load("opening:a") == (5, b"state")
    file.unlink()
    assert snapshots.load("opening:a") is None


async def test_a_snapshot_of_rows_that_a_restored_journal_lacks_is_ignored(
    journal, open_journal, tmp_path
):
    snapshots = Snapshots(tmp_path / "snapshots", journal)
    snapshots.save("opening:a", 5, b"state")
    journal.close()
    for file in journal.directory.glob("journal.db*"):
        file.unlink()
    restored = open_journal()
    assert Snapshots(tmp_path / "snapshots", restored).load("opening:a") is None
    other = Stream("opening:a", restored.epoch)
    await restored.append(Append([other.row() for _ in range(5)]))
    assert Snapshots(tmp_path / "snapshots", restored).load("opening:a") is None


async def test_only_a_durable_row_has_a_snapshot(journal, tmp_path):
    snapshots = Snapshots(tmp_path / "snapshots", journal)
    with pytest.raises(AssertionError):
        snapshots.save("opening:a", 6, b"state")
    with pytest.raises(AssertionError):
        snapshots.save("../opening:a", 1, b"state")
