"""`kaibiao doctor` on a journal: every row from the first on, and what snapshots say of them."""

from pathlib import Path

import apsw
import pytest

from crypto.hashes import sha256
from server.cli.journal_check import findings
from server.rooms import snapshot_keeper
from tests.domain.openings import an_opening
from tests.rooms.open_hall import open_hall
from tests.rooms.open_room import OPENING, TENDER


@pytest.fixture
async def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a site with snapshots has left behind."""
    monkeypatch.setattr(snapshot_keeper, "ROWS_AT_END", 1)
    play = an_opening(at="read_out")
    async with open_hall(tmp_path, {TENDER: play, OPENING: play}, now_ms=play.now_ms):
        pass
    return tmp_path


def verdicts(data: Path) -> dict[str, bool]:
    return {text.split(":")[0]: good for good, text in findings(data, allow_test=True)}


def test_where_there_is_no_journal_there_is_nothing_to_say(tmp_path: Path):
    assert findings(tmp_path, allow_test=True) == []
    assert list(tmp_path.iterdir()) == []


async def test_a_whole_journal_and_its_snapshots_are_good(data: Path):
    found = findings(data, allow_test=True)
    assert [good for good, _ in found] == [True, True]
    assert found[1][1] == "snapshots: 2, as their rows say"


async def test_a_hall_may_be_running(data: Path):
    play = an_opening(at="read_out")
    async with open_hall(data, now_ms=play.now_ms):
        assert verdicts(data) == {"journal": True, "snapshots": True}


async def test_an_old_row_that_was_altered_is_found_whatever_the_snapshot_says(data: Path):
    connection = apsw.Connection(str(data / "journal" / "journal.db"))
    connection.execute("UPDATE event SET ts_ms = ts_ms + 1 WHERE position = 3")
    connection.close()
    assert verdicts(data) == {"journal": False}


async def test_a_snapshot_that_differs_from_its_rows_is_named(data: Path):
    """Somebody who can write files made one that is whole, of another state of the same row."""
    file = data / "snapshots" / "opening.jz-0417.snapshot"
    raw = file.read_bytes()[:-32]
    forged = raw.replace("投标单位1".encode(), "投标单位9".encode())
    assert forged != raw
    file.write_bytes(forged + sha256(forged))
    found = findings(data, allow_test=True)
    assert found[1] == (False, "snapshots: delete opening:jz-0417")
