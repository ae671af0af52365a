"""Snapshots are only a cache: with them, without them, with wrong ones, a site is the same."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from server.domain import commands as cmd
from server.domain.opening import Stage
from server.rooms import snapshot_keeper
from server.rooms.hall import Hall
from server.rooms.replay import replay
from server.rooms.room import Room
from server.rooms.snapshot_keeper import SnapshotKeeper
from server.storage.errors import StorageUnusable
from tests.domain.cast import HOST
from tests.domain.openings import an_opening
from tests.rooms.open_hall import OpenHall, open_hall
from tests.rooms.open_room import OPENING, TENDER, OpenRoom


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are worth a snapshot here."""
    monkeypatch.setattr(snapshot_keeper, "ROWS_AT_END", 1)
    monkeypatch.setattr(snapshot_keeper, "ROWS_BETWEEN", 1)
    monkeypatch.setattr(snapshot_keeper, "LOOK_S", 0.02)


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """(stream, first row) of every replay."""
    begun: list[tuple[str, int]] = []

    def noting(kind: Any, stream: str, read: Any, since: Any = None) -> Any:
        begun.append((stream, since.head.seq + 1 if since else 1))
        return replay(kind, stream, read, since)

    monkeypatch.setattr("server.rooms.room.replay", noting)
    return begun


def the_room(site: OpenHall, stream: str = OPENING) -> Room:
    room = site.hall.find_room(stream)
    assert room is not None
    return room


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "snapshots").glob("*"))


def whole(site: OpenHall, stream: str) -> Any:
    """The state of a replay from the first row on."""
    room = the_room(site, stream)
    return replay(room.kind, stream, site.hall.journal.read).state


async def lived(tmp_path: Path, at: str = "decryption") -> Any:
    """A site with a tender and its opening has lived and ended; a play of the same to ask with."""
    play = an_opening(at=at)
    async with open_hall(tmp_path, {TENDER: play, OPENING: play}, now_ms=play.now_ms):
        pass
    return play


async def test_a_site_restarts_from_its_snapshots_and_goes_on(
    tmp_path: Path, folded: list[tuple[str, int]]
):
    play = await lived(tmp_path)
    assert [file.name for file in files(tmp_path)] == [
        "opening.jz-0417.snapshot",
        "tender.jz-0417.snapshot",
    ]
    folded.clear()
    async with open_hall(tmp_path, now_ms=play.now_ms) as site:
        room = the_room(site)
        assert (OPENING, 1) not in folded
        assert (TENDER, 1) not in folded
        for stream in (OPENING, TENDER):
            assert the_room(site, stream).state == whole(site, stream)
        bid = play.bids[0]
        assert (await site.ask(OPENING, play.unlocking(bid), bid.bidder.actor, "unlock-001")).ok
        assert (await site.ask(OPENING, cmd.Pause(reason="停"), HOST, "pause-0001")).ok
        assert room.state == whole(site, OPENING)
        site.hall.journal.verify(OPENING)
    async with open_hall(tmp_path, now_ms=play.now_ms) as site:
        assert the_room(site).state.window.paused
        again = await site.ask(OPENING, play.unlocking(bid), bid.bidder.actor, "unlock-001")
        assert again.ok


async def test_rows_after_the_snapshot_are_replayed_and_positions_go_on(tmp_path: Path, open_room):
    site: OpenRoom = await open_room(an_opening())
    keeper = SnapshotKeeper(tmp_path / "snapshots", site.journal)
    async with site.running():
        keeper.save_all([site.room])
        for reason in ("一", "二"):
            assert (await site.ask(cmd.Pause(reason=reason), HOST, f"pause-{reason}")).ok
            assert (await site.ask(cmd.Resume(), HOST, f"resume-{reason}")).ok
    since = keeper.since(OPENING, site.room.kind)
    assert since is not None
    assert site.room.told_seq == since.head.seq + 4
    assert since.last_ts_ms == site.rows()[since.head.seq - 1].ts_ms
    from_snapshot = replay(site.room.kind, OPENING, site.journal.read, since)
    assert from_snapshot == replay(site.room.kind, OPENING, site.journal.read)
    assert from_snapshot.positions["hall"] == since.positions["hall"] + 4
    assert from_snapshot.head == site.journal.head(OPENING)


@pytest.mark.parametrize("stream", [OPENING, TENDER])
async def test_from_a_snapshot_at_any_row_a_room_stands_where_all_its_rows_put_it(
    tmp_path: Path, open_room, stream: str
):
    site: OpenRoom = await open_room(an_opening(at="closed", lots=(1, 2)), stream)
    kind, rows = site.room.kind, site.rows()
    whole = replay(kind, stream, site.journal.read)
    keeper = SnapshotKeeper(tmp_path / "snapshots", site.journal)
    for last in range(1, len(rows) + 1):

        def until(_: str, after: int, limit: int, last: int = last) -> list[Any]:
            return rows[after:last]

        keeper._save(stream, replay(kind, stream, until))
        since = keeper.since(stream, kind)
        assert since is not None
        assert since.head.seq == last
        assert replay(kind, stream, site.journal.read, since) == whole


def cut(raw: bytes) -> bytes:
    return raw[:-1]


def altered(raw: bytes) -> bytes:
    return raw[:200] + bytes([raw[200] ^ 1]) + raw[201:]


def of_another_program(raw: bytes) -> bytes:
    return raw[:8] + bytes(32) + raw[40:]


@pytest.mark.parametrize("damage", [cut, altered, of_another_program, lambda raw: b""])
async def test_a_wrong_snapshot_changes_nothing(
    tmp_path: Path, folded: list[tuple[str, int]], damage: Callable[[bytes], bytes]
):
    play = await lived(tmp_path, at="read_out")
    for file in files(tmp_path):
        file.write_bytes(damage(file.read_bytes()))
    folded.clear()
    async with open_hall(tmp_path, now_ms=play.now_ms) as site:
        assert {(OPENING, 1), (TENDER, 1)} <= set(folded)
        assert the_room(site).state == whole(site, OPENING)


async def test_a_missing_snapshot_and_one_of_another_stream_change_nothing(
    tmp_path: Path, folded: list[tuple[str, int]]
):
    play = await lived(tmp_path)
    opening, tender = files(tmp_path)
    tender.write_bytes(opening.read_bytes())
    opening.unlink()
    folded.clear()
    async with open_hall(tmp_path, now_ms=play.now_ms) as site:
        assert {(OPENING, 1), (TENDER, 1)} <= set(folded)
        assert the_room(site, TENDER).state == whole(site, TENDER)


async def test_a_snapshot_of_another_journal_is_ignored(tmp_path: Path, folded: Any):
    await lived(tmp_path / "one", at="read_out")
    play = await lived(tmp_path / "two")
    for file in files(tmp_path / "one"):
        file.replace(tmp_path / "two" / "snapshots" / file.name)
    folded.clear()
    async with open_hall(tmp_path / "two", now_ms=play.now_ms) as site:
        assert (OPENING, 1) in folded
        assert the_room(site).state.stage is Stage.DECRYPTION


async def test_a_snapshot_that_cannot_be_read_is_logged_and_ignored(
    tmp_path: Path, open_room, caplog: pytest.LogCaptureFixture
):
    site: OpenRoom = await open_room(an_opening())
    keeper = SnapshotKeeper(tmp_path / "snapshots", site.journal)
    head = site.journal.head(OPENING)
    assert keeper._snapshots.save(OPENING, head, b"whole, and nonsense")
    with caplog.at_level(logging.ERROR, "kaibiao.snapshots"):
        assert keeper.since(OPENING, site.room.kind) is None
    assert "not used" in caplog.text


async def test_nothing_is_written_down_that_is_not_durable(tmp_path: Path, open_room):
    site: OpenRoom = await open_room(an_opening())
    keeper = SnapshotKeeper(tmp_path / "snapshots", site.journal)
    async with site.running():
        with site.stalled_disk():
            site.put(cmd.Pause(reason="停"), HOST, "pause-0001")
            for _ in range(10):
                await asyncio.sleep(0)
            assert site.state.window.paused
            assert site.room.standing() is None
            keeper.save_all([site.room])
            assert files(tmp_path) == []
        await site.answered("pause-0001")
        assert site.room.standing() is not None


async def test_a_row_that_was_changed_after_the_snapshot_still_stops_the_start(
    tmp_path: Path, open_room
):
    site: OpenRoom = await open_room(an_opening())
    keeper = SnapshotKeeper(tmp_path / "snapshots", site.journal)
    async with site.running():
        keeper.save_all([site.room])
        assert (await site.ask(cmd.Pause(reason="停"), HOST, "pause-0001")).ok
    since = keeper.since(OPENING, site.room.kind)
    assert since is not None

    def changed(stream: str, after: int, limit: int) -> list[Any]:
        return [
            structs.replace(row, ts_ms=row.ts_ms + 1) for row in site.journal.read(stream, after)
        ]

    with pytest.raises(StorageUnusable, match=r"storage\.damaged"):
        replay(site.room.kind, OPENING, changed, since)


async def test_a_quiet_room_is_written_down_while_the_site_lives(tmp_path: Path):
    play = an_opening(at="read_out")
    async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
        await site.until(lambda: [f.name for f in files(tmp_path)] == ["opening.jz-0417.snapshot"])


async def test_while_anybody_decrypts_nothing_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    looked: list[int] = []
    quiet = SnapshotKeeper._quiet

    def noting(self: SnapshotKeeper, rooms: Any) -> Any:
        found = quiet(self, rooms)
        looked.append(len(found))
        return found

    monkeypatch.setattr(SnapshotKeeper, "_quiet", noting)
    running, read_out = an_opening(), an_opening(at="read_out")
    streams = {OPENING: running, "opening:other": read_out}
    async with open_hall(tmp_path, streams, now_ms=running.now_ms) as site:
        await site.until(lambda: sum(found > 0 for found in looked) > 3)
        assert files(tmp_path) == []


async def test_a_room_that_failed_is_rebuilt_of_its_rows_alone(
    tmp_path: Path, folded: list[tuple[str, int]]
):
    play = await lived(tmp_path, at="read_out")
    async with open_hall(tmp_path, now_ms=play.now_ms) as site:
        room = the_room(site)
        folded.clear()

        def broken(state: Any, command: Any, ctx: Any) -> Any:
            raise AssertionError("impossible")

        room.kind = replace(room.kind, decide=broken)
        assert (await site.ask(OPENING, cmd.ReadRow(no=1), HOST)).code == "server.trouble"
        await site.until(lambda: the_room(site) is not room)
        assert folded == [(OPENING, 1)]


async def test_a_site_that_breaks_writes_nothing_down(tmp_path: Path, monkeypatch: Any):
    """Only a clean end is worth a snapshot: what stopped the hall may stand in a state."""
    play = an_opening(at="read_out")

    async def breaks(self: Hall) -> None:
        raise OSError("the log cannot be written")

    monkeypatch.setattr(Hall, "_tick", breaks)
    monkeypatch.setattr(snapshot_keeper, "LOOK_S", 60.0)
    with pytest.raises(ExceptionGroup):
        async with open_hall(tmp_path, {OPENING: play}, now_ms=play.now_ms) as site:
            await site.until(lambda: False)
    assert files(tmp_path) == []
