"""The power is cut at every write of a working journal; whatever was acknowledged is still there.

The same play with ``synchronous=OFF`` loses acknowledged rows, and the last test proves that this
play notices.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.hashes import sha256
from crypto.keys import SigningKey
from server.storage import journal as journal_module
from server.storage import site_tick, wal_keeper
from server.storage.journal import Append, Journal
from server.storage.site_log import SiteLog
from tests.faults.power_cut import CutDisk, Op, Recorder, TellingLoop
from tests.storage.streams import Stream

ORIGIN = "hall.jiangzhou.example/kaibiao/log"
KEY = SigningKey(bytes([0x32] * 32))
START_MS = 1_795_138_200_000
STREAMS = ("registry", "tender:a", "opening:a")


class AcknowledgedLost(AssertionError):
    """Something was told to somebody and is not there after the cut."""


@dataclass
class Play:
    """What a working server did: every operation on its files, and what it was asked to keep."""

    ops: list[Op] = field(default_factory=list)
    items: dict[str, list[Append]] = field(default_factory=dict)


def a_play(
    directory: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str, *, sync_names: bool = True
) -> Play:
    """Opens a journal, appends singly and in bursts, ticks, copies the WAL back; all recorded."""
    recorder = Recorder()
    # So that the WAL is copied back and begun anew several times within a short play.
    monkeypatch.setattr(wal_keeper, "WAL_BYTES_MAX", 100 << 10)
    if sync_names:
        monkeypatch.setattr(journal_module, "sync_directory", recorder.sync_directory)
    play = Play(recorder.ops, {name: [] for name in STREAMS})

    async def work() -> None:
        loop = TellingLoop(asyncio.get_running_loop(), recorder)
        journal = Journal.open(
            directory,
            loop=loop,
            on_failure=_unexpected,
            synchronous=synchronous,
            vfs=recorder.vfs_name,
        )
        recorder.mark(("epoch", journal.epoch))
        log = SiteLog(journal, ORIGIN, KEY)
        log.subscribe(lambda checkpoint: recorder.mark(("checkpoint", checkpoint)))
        streams = {name: Stream(name, journal.epoch) for name in STREAMS}

        def send(name: str, now_ms: int) -> asyncio.Future[None]:
            item = streams[name].item(entry_ms=now_ms)
            play.items[name].append(item)
            return loop.watch(journal.append(item), (name, len(play.items[name])))

        for second in range(8):
            now_ms = START_MS + second * 1000
            await send("registry", now_ms)
            burst = [send(name, now_ms) for name in STREAMS for _ in range(2)]
            await log.tick(now_ms)
            await asyncio.gather(*burst)
        # Not closed by the server: the power goes first.
        recorder.mark("end")
        ops = list(recorder.ops)
        journal.close()
        play.ops = ops[: ops.index(Op("mark", "", what="end"))]

    asyncio.run(work())
    return play


def _unexpected(error: BaseException) -> None:
    raise AssertionError from error


@dataclass
class Told:
    """What had been told to somebody when the power went."""

    epoch: int = 0
    acknowledged: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    checkpoint: object = None

    def hear(self, op: Op) -> None:
        if isinstance(op.what, set):
            for name, number in op.what:
                self.acknowledged[name] = max(self.acknowledged[name], number)
        elif op.what[0] == "epoch":
            self.epoch = op.what[1]
        else:
            self.checkpoint = op.what[1]


def cuts(play: Play) -> Iterator[tuple[int, CutDisk, Told]]:
    """Every place where the power can go: before the first operation and after each one."""
    disk, told = CutDisk(), Told()
    for number, op in enumerate(play.ops):
        if op.kind == "mark":
            told.hear(op)
        else:
            disk.step(op)
        yield number, disk, told


async def check(directory: Path, play: Play, told: Told) -> None:
    """Opens what the cut left, as the next start of the server would."""
    loop = asyncio.get_running_loop()
    journal = Journal.open(directory, loop=loop, on_failure=_unexpected, synchronous="OFF")
    try:
        if journal.epoch <= told.epoch:
            raise AcknowledgedLost(f"epoch {journal.epoch} again")
        for name, acknowledged in told.acknowledged.items():
            rows = journal.read(name)
            if len(rows) < acknowledged:
                raise AcknowledgedLost(f"{name}: {len(rows)} of {acknowledged} rows")
            sent = play.items[name][: len(rows)]
            assert rows == [item.rows[0] for item in sent], "not a prefix of what was sent"
            assert journal.verify(name).seq == len(rows)
            for item in sent:
                _assert_whole(journal, item)
        log = SiteLog(journal, ORIGIN, KEY)
        if told.checkpoint is not None:
            if log.leaf_count < told.checkpoint.size:
                raise AcknowledgedLost(f"leaf {told.checkpoint.size}")
            assert log.checkpoint_at(told.checkpoint.size).text == told.checkpoint.text
        await _assert_goes_on(journal, log, play)
    finally:
        journal.close()


def _assert_whole(journal: Journal, item: Append) -> None:
    """Of an item whose row is there, everything is."""
    (answer,) = item.answers
    stored = journal.answer(answer.stream, answer.actor, answer.cmd_id)
    assert stored == answer.answer
    digest = sha256(item.entries[0].entry)
    assert journal.query("SELECT count(*) FROM entry WHERE sha256 = ?", (digest,)) == [(1,)]


async def _assert_goes_on(journal: Journal, log: SiteLog, play: Play) -> None:
    """The next tick takes every entry that had been stored, each within C14's window."""
    await log.tick(START_MS + 20_000)
    for items in play.items.values():
        for item in items[: journal.head(item_stream(items)).seq]:
            logged = log.find(sha256(item.entries[0].entry))
            assert logged is not None
            assert 0 <= logged.tick_ms - logged.server_ms <= 2000


def item_stream(items: list[Append]) -> str:
    return items[0].rows[0].stream


@pytest.fixture(params=["by the writer alone", "beside it too"])
def durable_play(request, monkeypatch, tmp_path) -> Play:
    """The WAL is copied, and a second's tree is built, by the writer alone or beside it."""
    if request.param == "beside it too":
        monkeypatch.setattr(wal_keeper, "WAL_REST_BYTES", 20 << 10)
        monkeypatch.setattr(site_tick, "BUILT_AT_ONCE_MAX", 0)
    return a_play(tmp_path / "played", monkeypatch, "FULL")


async def losses(directory: Path, play: Play) -> int:
    """At how many cuts something acknowledged is lost, when all that was not synced is."""
    lost = 0
    for _, disk, told in cuts(play):
        disk.put(directory, disk.lost())
        try:
            await check(directory, play, told)
        except AcknowledgedLost:
            lost += 1
    return lost


def test_the_play_has_commits_and_copies_of_the_wal(durable_play):
    kinds = {(op.kind, op.file) for op in durable_play.ops}
    assert {("write", "journal.db"), ("sync", "journal.db"), ("sync", "journal.db-wal")} <= kinds
    restarts = [op for op in durable_play.ops if op.kind == "write" and op.at == 0]
    assert sum(op.file == "journal.db-wal" for op in restarts) >= 2
    assert sum(len(op.what) for op in durable_play.ops if isinstance(op.what, set)) == 8 * 7


async def test_nothing_acknowledged_is_lost_when_all_unsynced_writes_are(durable_play, tmp_path):
    assert await losses(tmp_path / "cut", durable_play) == 0


async def test_nothing_acknowledged_is_lost_when_unsynced_writes_are_torn(durable_play, tmp_path):
    for number, disk, told in cuts(durable_play):
        disk.put(tmp_path / "cut", disk.torn(random.Random(number)))
        await check(tmp_path / "cut", durable_play, told)


def test_without_a_real_fsync_the_same_play_loses_what_was_acknowledged(monkeypatch, tmp_path):
    play = a_play(tmp_path / "played", monkeypatch, "OFF")
    assert asyncio.run(losses(tmp_path / "cut", play)) > len(play.ops) // 2


def test_without_a_sync_of_the_directory_the_database_loses_its_name(monkeypatch, tmp_path):
    play = a_play(tmp_path / "played", monkeypatch, "FULL", sync_names=False)
    assert asyncio.run(losses(tmp_path / "cut", play)) > 0
