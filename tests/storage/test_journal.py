"""The journal on real files: what was acknowledged is there, in order, and nothing else is."""

import asyncio
import threading

import apsw
import pytest
from msgspec.structs import replace

from server.storage import wal_keeper
from server.storage.errors import JournalConflict, JournalFailed
from server.storage.journal import Answer, Append, Head
from server.storage.schema import open_reader
from server.storage.wal_keeper import WalKeeper
from tests.faults.power_cut import Recorder
from tests.storage.streams import Stream


async def test_rows_come_back_as_they_were_handed_over(open_journal):
    journal = open_journal()
    opening, registry = Stream("opening:a", journal.epoch), Stream("registry", journal.epoch)
    rows = [opening.row(audience=audience) for audience in ("hall", "staff", "sealed", "hall")]
    await journal.append(Append(rows))
    await journal.append(Append([registry.row()]))
    assert journal.read("opening:a") == rows
    assert journal.read("opening:a", after_seq=2, limit=1) == [rows[2]]
    assert journal.read_channel("opening:a", "hall") == [rows[0], rows[3]]
    assert journal.read_channel("opening:a", "hall", after=1) == [rows[3]]
    assert journal.read_channel("opening:a", "sealed") == []
    assert journal.head("opening:a") == Head(4, rows[3].hash)
    assert journal.channel_head("opening:a", "hall") == 2
    assert journal.channel_head("opening:a", "sealed") == 0
    assert journal.streams() == ["opening:a", "registry"]
    assert journal.verify("opening:a") == journal.head("opening:a")


async def test_an_unknown_stream_is_empty(open_journal):
    journal = open_journal()
    assert journal.read("opening:nobody") == []
    assert journal.head("opening:nobody") == Head(0, bytes(32))
    assert journal.channel_head("opening:nobody", "hall") == 0
    assert journal.streams() == []


async def test_a_repeated_command_finds_the_answer_it_was_given(open_journal):
    journal = open_journal()
    item = Stream("opening:a", journal.epoch).item(body=b"first")
    await journal.append(item)
    assert journal.answer("opening:a", "host-1", "command-1") == b"answer to first"
    assert journal.answer("opening:a", "host-2", "command-1") is None
    assert journal.answer("opening:b", "host-1", "command-1") is None


async def test_a_second_answer_to_a_command_fails_alone(open_journal):
    journal = open_journal()
    first, other = Stream("opening:a", journal.epoch), Stream("opening:b", journal.epoch)
    futures = [
        journal.append(first.item()),
        journal.append(Append((), [Answer("opening:a", "host-1", "command-1", b"another")])),
        journal.append(other.item()),
    ]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), JournalConflict, type(None)]
    assert journal.answer("opening:a", "host-1", "command-1").startswith(b"answer to")
    assert journal.head("opening:b").seq == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": 3},
        {"prev_hash": bytes(32)},
        {"epoch": 99},
        {"audience_seq": 5},
    ],
    ids=["seq", "prev_hash", "epoch", "audience_seq"],
)
async def test_a_row_that_does_not_continue_its_stream_fails_alone(open_journal, wrong):
    journal = open_journal()
    stream, other = Stream("opening:a", journal.epoch), Stream("opening:b", journal.epoch)
    await journal.append(stream.item())
    before = stream.head
    bad = Append([replace(stream.row(), **wrong)])
    futures = [journal.append(other.item()), journal.append(bad), journal.append(other.item())]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), JournalConflict, type(None)]
    assert journal.head("opening:a") == before
    assert journal.head("opening:b").seq == 2
    # The stream goes on from where it was.
    again = Stream("opening:a", journal.epoch, before)
    again.channels["hall"] = 1
    await journal.append(again.item())


async def test_an_item_is_stored_whole_or_not_at_all(open_journal):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    good, bad = stream.row(), replace(stream.row(), seq=7)
    with pytest.raises(JournalConflict):
        await journal.append(Append([good, bad]))
    assert journal.read("opening:a") == []


async def test_futures_resolve_in_the_order_of_the_calls(open_journal):
    journal = open_journal()
    streams = [Stream(f"opening:{n}", journal.epoch) for n in range(5)]
    order: list[int] = []
    futures = []
    for number in range(100):
        future = journal.append(streams[number % 5].item())
        future.add_done_callback(lambda _, number=number: order.append(number))
        futures.append(future)
    await asyncio.gather(*futures)
    await asyncio.sleep(0)
    assert order == list(range(100))


async def test_a_cancelled_waiter_harms_nobody(open_journal):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    first, second, third = (journal.append(stream.item()) for _ in range(3))
    second.cancel()
    await asyncio.gather(first, third)
    assert journal.head("opening:a").seq == 3


async def test_two_hundred_concurrent_appends_share_a_few_fsyncs(open_journal):
    recorder = Recorder()
    journal = open_journal(vfs=recorder.vfs_name)
    streams = [Stream(f"opening:{n}", journal.epoch) for n in range(200)]

    async def one(stream: Stream) -> None:
        await journal.append(stream.item())

    commits, syncs = journal.metrics.commits, recorder.syncs("-wal")
    await asyncio.gather(*(one(stream) for stream in streams))
    assert 0 < journal.metrics.commits - commits < 20
    assert 0 < recorder.syncs("-wal") - syncs < 20
    assert journal.metrics.group_items.largest > 100
    assert len(journal.streams()) == 200


async def test_a_closed_journal_takes_nothing_and_has_kept_what_it_took(open_journal):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    futures = [journal.append(stream.item()) for _ in range(10)]
    journal.close()
    await asyncio.gather(*futures)
    with pytest.raises(JournalFailed):
        journal.append(stream.item())
    assert open_journal().head("opening:a").seq == 10


async def test_a_failed_fsync_fails_everything_and_is_never_tried_again(open_journal):
    failures: list[BaseException] = []
    broken = False

    def before_sync(file: str) -> None:
        if broken:
            raise apsw.IOError("no such sector")

    recorder = Recorder(before_sync)
    recorder.excepthook = lambda *_: None
    journal = open_journal(vfs=recorder.vfs_name, on_failure=failures.append)
    stream = Stream("opening:a", journal.epoch)
    await journal.append(stream.item())
    broken = True
    futures = [journal.append(stream.item()) for _ in range(20)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(result, JournalFailed) for result in results)
    with pytest.raises(JournalFailed):
        journal.append(stream.item())
    await asyncio.sleep(0)
    assert [type(failure) for failure in failures] == [apsw.IOError]
    broken = False
    journal.close()
    assert open_journal().head("opening:a").seq >= 1


async def test_the_wal_is_copied_back_before_it_grows_without_end(open_journal, monkeypatch):
    monkeypatch.setattr(wal_keeper, "WAL_BYTES_MAX", 256 << 10)
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    for _ in range(40):
        await journal.append(stream.item(body=bytes(50_000)))
    assert journal.metrics.wal_checkpoints > 2
    assert (journal.directory / "journal.db-wal").stat().st_size < 2 << 20
    assert journal.verify("opening:a").seq == 40


async def test_the_wal_is_copied_back_beside_a_writer_that_is_never_idle(
    open_journal, monkeypatch: pytest.MonkeyPatch
):
    """What the writer itself copies is never more than the rest, and the WAL begins anew."""
    monkeypatch.setattr(wal_keeper, "WAL_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(wal_keeper, "WAL_REST_BYTES", 100 << 10)
    copies: list[tuple[str, int]] = []
    copy = WalKeeper._copy

    def watched(self: WalKeeper, connection: apsw.Connection) -> tuple[int, int]:
        before = self._copied
        done = copy(self, connection)
        copies.append((threading.current_thread().name, done[1] - before))
        return done

    monkeypatch.setattr(WalKeeper, "_copy", watched)
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    for _ in range(400):
        await journal.append(stream.item(body=bytes(20_000)))
    own = [pages for name, pages in copies if name == "journal-writer"]
    beside = [pages for name, pages in copies if name != "journal-writer"]
    assert beside
    assert own
    assert max(own) * 4096 < 100 << 10
    assert (journal.directory / "journal.db-wal").stat().st_size < 8 << 20
    assert journal.verify("opening:a").seq == 400


async def test_a_reader_of_an_old_state_makes_nobody_copy_again_and_again(
    open_journal, monkeypatch: pytest.MonkeyPatch
):
    """The WAL cannot begin anew meanwhile; it is left alone until it is as large again."""
    monkeypatch.setattr(wal_keeper, "WAL_BYTES_MAX", 400 << 10)
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)
    await journal.append(stream.item())
    reader = open_reader(journal.directory / "journal.db", vfs=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchall()
    for _ in range(200):
        await journal.append(stream.item(body=bytes(2_000)))
    size = (journal.directory / "journal.db-wal").stat().st_size
    assert journal.metrics.wal_checkpoints <= 2 * size // (400 << 10) + 1
    reader.execute("COMMIT")
    reader.close()
    for _ in range(100):
        await journal.append(stream.item(body=bytes(2_000)))
    assert (journal.directory / "journal.db-wal").stat().st_size < size + (1 << 20)
    assert journal.verify("opening:a").seq == 301


async def test_a_disk_that_fails_under_the_copy_beside_fails_everything(
    open_journal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wal_keeper, "WAL_BYTES_MAX", 100 << 10)
    monkeypatch.setattr(wal_keeper, "WAL_REST_BYTES", 0)
    failures: list[BaseException] = []
    broken = False

    def before_sync(file: str) -> None:
        if broken and file.endswith(".db"):
            raise apsw.IOError("no such sector")

    recorder = Recorder(before_sync)
    recorder.excepthook = lambda *_: None
    journal = open_journal(vfs=recorder.vfs_name, on_failure=failures.append)
    stream = Stream("opening:a", journal.epoch)
    broken = True

    async def append_all() -> None:
        for _ in range(1000):
            await journal.append(stream.item(body=bytes(20_000)))

    with pytest.raises(JournalFailed):
        await append_all()
    await asyncio.sleep(0)
    assert [type(failure) for failure in failures] == [apsw.IOError]


async def test_threads_read_while_the_journal_writes(open_journal):
    journal = open_journal()
    stream = Stream("opening:a", journal.epoch)

    def read_all() -> int:
        return journal.verify("opening:a").seq

    async def write() -> None:
        for _ in range(100):
            await journal.append(stream.item())

    readers = [asyncio.to_thread(read_all) for _ in range(8)]
    seen = await asyncio.gather(write(), *readers)
    assert all(0 <= count <= 100 for count in seen[1:])
    assert read_all() == 100


@pytest.mark.parametrize("name", ["", "opening:", "opening:A", "opening:a/b", "nothing:a"])
async def test_a_stream_has_one_of_four_kinds_of_names(open_journal, name):
    journal = open_journal()
    with pytest.raises(AssertionError):
        journal.append(Append([replace(Stream("registry", journal.epoch).row(), stream=name)]))


async def test_a_body_has_a_largest_size(open_journal):
    journal = open_journal()
    with pytest.raises(AssertionError):
        journal.append(Stream("registry", journal.epoch).item(body=bytes((1 << 20) + 1)))
