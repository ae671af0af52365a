"""Snapshots are believed only while the journal agrees; without them everything is the same."""

from pathlib import Path

import pytest

from server.storage.journal import Append, Head, Journal
from server.storage.snapshots import Snapshots
from tests.storage.streams import Stream


@pytest.fixture
async def journal(open_journal):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    await journal.append(Append([stream.row() for _ in range(5)]))
    return journal


FORM = bytes(range(32))


def kept(directory: Path, journal: Journal, form: bytes = FORM) -> Snapshots:
    return Snapshots(directory / "snapshots", journal, form)


def head(journal: Journal, seq: int) -> Head:
    return Head(seq, journal.read("opening:a", seq - 1, 1)[0].hash)


def loaded(snapshots: Snapshots, stream: str = "opening:a") -> tuple[int, bytes] | None:
    found = snapshots.load(stream)
    return found and (found[0].seq, found[1])


async def test_a_snapshot_comes_back_with_its_row(journal, tmp_path):
    snapshots = kept(tmp_path, journal)
    assert snapshots.load("opening:a") is None
    assert snapshots.save("opening:a", head(journal, 3), b"state after three")
    assert snapshots.save("opening:a", head(journal, 5), b"state after five")
    found = snapshots.load("opening:a")
    assert found == (journal.read("opening:a", 4, 1)[0], b"state after five")
    assert snapshots.load("opening:b") is None
    snapshots.forget("opening:a")
    assert snapshots.load("opening:a") is None
    snapshots.forget("opening:a")


async def test_a_snapshot_that_is_torn_or_altered_is_ignored(journal, tmp_path):
    snapshots = kept(tmp_path, journal)
    snapshots.save("opening:a", head(journal, 5), b"state")
    (file,) = (tmp_path / "snapshots").iterdir()
    whole = file.read_bytes()
    flipped = [whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :] for k in range(len(whole))]
    for damaged in (b"", whole[:-1], whole[:40], whole + b"x", *flipped):
        file.write_bytes(damaged)
        assert snapshots.load("opening:a") is None
    file.write_bytes(whole)
    assert loaded(snapshots) == (5, b"state")
    file.unlink()
    assert snapshots.load("opening:a") is None


async def test_a_snapshot_of_another_program_is_ignored(journal, tmp_path):
    kept(tmp_path, journal).save("opening:a", head(journal, 5), b"state")
    assert kept(tmp_path, journal, bytes(32)).load("opening:a") is None
    assert loaded(kept(tmp_path, journal)) == (5, b"state")


async def test_a_snapshot_of_rows_that_a_restored_journal_lacks_is_ignored(
    journal, open_journal, tmp_path
):
    kept(tmp_path, journal).save("opening:a", head(journal, 5), b"state")
    journal.close()
    for file in journal.directory.glob("journal.db*"):
        file.unlink()
    restored = open_journal()
    assert kept(tmp_path, restored).load("opening:a") is None
    other = Stream("opening:a", restored.epoch)
    await restored.append(Append([other.row() for _ in range(5)]))
    assert kept(tmp_path, restored).load("opening:a") is None


async def test_only_a_durable_row_has_a_snapshot(journal, tmp_path):
    snapshots = kept(tmp_path, journal)
    assert not snapshots.save("opening:a", Head(6, bytes(32)), b"state")
    assert not snapshots.save("opening:a", Head(5, bytes(32)), b"state")
    assert not snapshots.save("opening:a", Head(0, bytes(32)), b"state")
    assert snapshots.load("opening:a") is None
    with pytest.raises(AssertionError):
        snapshots.save("../opening:a", head(journal, 1), b"state")
