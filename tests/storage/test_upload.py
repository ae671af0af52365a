"""Uploads on real files: what was told to be received is there after a crash."""

import asyncio
import errno
import os
from dataclasses import replace

import pytest

from server.storage import upload as upload_module
from server.storage.upload_state import read
from tests.storage.payloads import NAME, a_hasher, a_payload, refused, send


async def test_only_the_durable_offset_may_be_continued(open_store):
    store = open_store()
    about, data, _ = a_payload(200_000)
    upload = await store.create(len(data), about, created_ms=0)
    await send(upload, data, 0, 100_000)
    for wrong in (0, 99_999, 100_001, len(data)):
        with refused("upload.offset"):
            await send(upload, data, wrong, wrong + 10)
    await send(upload, data, 100_000, len(data))
    with refused("upload.offset"):
        await send(upload, data, 0, 10)


async def test_the_first_byte_too_many_is_refused_and_what_came_before_is_kept(open_store):
    store = open_store()
    about, data, root = a_payload(70_000)
    upload = await store.create(len(data), about, created_ms=0)
    async with upload.writing(0) as sink:
        await sink.write(data[:-10])
        with refused("upload.length"):
            await sink.write(data[-10:] + b"\0")
        assert upload.offset == len(data) - 10
    with refused("upload.length"):
        await send(upload, data + b"\0", len(data) - 10, len(data) + 1)
    await send(upload, data, len(data) - 10, len(data))
    assert await upload.root() == root
    assert upload._part.stat().st_size == len(data)


async def test_an_incomplete_payload_has_no_root_and_no_name(open_store):
    store = open_store()
    about, data, _ = a_payload(70_000)
    upload = await store.create(len(data), about, created_ms=0)
    await send(upload, data, 0, len(data) - 1)
    with refused("upload.offset"):
        await upload.root()
    with refused("upload.offset"):
        await store.finish(upload, NAME)
    assert await store.size(NAME) is None


async def test_one_connection_writes_at_a_time(open_store):
    store = open_store()
    about, data, _ = a_payload(70_000)
    upload = await store.create(len(data), about, created_ms=0)
    async with upload.writing(0):
        with refused("upload.busy"):
            await send(upload, data, 0, 10)
        with refused("upload.busy"):
            await store.discard(upload)
    await send(upload, data, 0, 10)
    assert upload.durable == 10


async def test_a_broken_connection_leaves_what_it_sent(open_store):
    store = open_store()
    about, data, root = a_payload(4_000_000)
    upload = await store.create(len(data), about, created_ms=0)
    halfway = asyncio.Event()

    async def connection() -> None:
        async with upload.writing(0) as sink:
            await sink.write(data[:2_500_000])
            await sink.write(data[2_500_000:2_600_000])
            halfway.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(connection())
    await halfway.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert upload.durable == 2_600_000
    await send(upload, data, 2_600_000, len(data))
    assert await upload.root() == root


async def test_cancelling_in_the_middle_of_a_disk_write_keeps_the_order(open_store, monkeypatch):
    """A cancelled connection returns only when its thread is done, so two never write at once."""
    store = open_store()
    about, data, root = a_payload(3_000_000)
    upload = await store.create(len(data), about, created_ms=0)
    inside, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    pwrite = os.pwrite

    def slow_pwrite(*arguments) -> int:
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return pwrite(*arguments)

    monkeypatch.setattr(upload_module.os, "pwrite", slow_pwrite)
    task = asyncio.create_task(send(upload, data, 0, 2_000_000, piece=1_500_000))
    await inside.wait()
    task.cancel()
    await asyncio.sleep(0)
    with refused("upload.busy"):
        await send(upload, data, 0, 10)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    assert upload.durable == 1_500_000
    await send(upload, data, 1_500_000, len(data))
    assert await upload.root() == root


async def test_an_upload_is_resumed_after_a_restart(open_store):
    store = open_store()
    about, data, root = a_payload(2_500_000)
    upload = await store.create(len(data), about, created_ms=77)
    await send(upload, data, 0, 1_234_567)
    store.close()
    store = open_store()
    (resumed,) = store.uploads()
    assert resumed.upload_id == upload.upload_id
    assert (resumed.durable, resumed.about, resumed.created_ms) == (1_234_567, about, 77)
    await send(resumed, data, 1_234_567, len(data))
    store.close()
    store = open_store()
    resumed = store.upload(upload.upload_id)
    assert resumed.is_complete
    assert await resumed.root() == root
    await store.finish(resumed, NAME)
    assert await store.verify(NAME, a_hasher(about)) == root


async def test_what_was_never_made_durable_is_not_believed_after_a_crash(open_store):
    store = open_store()
    about, data, root = a_payload(500_000)
    upload = await store.create(len(data), about, created_ms=0)
    await send(upload, data, 0, 300_000)
    part = upload._part
    store.close()
    content = bytearray(part.read_bytes())
    content[300_000:400_000] = os.urandom(100_000)  # written, never synced, badly
    part.write_bytes(content)
    resumed = open_store().upload(upload.upload_id)
    assert resumed.durable == 300_000
    async with resumed.writing(300_000):
        assert part.read_bytes()[300_000:] == bytes(len(data) - 300_000)
    await send(resumed, data, 300_000, len(data))
    assert await resumed.root() == root


@pytest.mark.parametrize("torn", [0, 4096])
async def test_a_torn_note_of_the_offset_leaves_the_one_before(open_store, torn):
    store = open_store()
    about, data, root = a_payload(500_000)
    upload = await store.create(len(data), about, created_ms=0)
    for start, end in ((0, 100_000), (100_000, 200_000), (200_000, 300_000)):
        await send(upload, data, start, end)
    state = upload._part.with_suffix(".state")
    store.close()
    content = bytearray(state.read_bytes())
    content[torn + 8] ^= 1
    state.write_bytes(content)
    resumed = open_store().upload(upload.upload_id)
    newest = 4096  # three notes after the first: the slots at 4096, 0, 4096
    assert resumed.durable == (200_000 if torn == newest else 300_000)
    await send(resumed, data, resumed.durable, len(data))
    assert await resumed.root() == root


async def test_a_state_that_is_damaged_is_not_resumed(open_store):
    store = open_store()
    upload = await store.create(1000, b"984", created_ms=0)
    state = upload._part.with_suffix(".state")
    store.close()
    content = bytearray(state.read_bytes())
    content[8192] ^= 1
    state.write_bytes(content)
    assert open_store().uploads() == []
    assert list(state.parent.iterdir()) == []


async def test_the_offset_advances_while_a_long_piece_is_still_coming(open_store, monkeypatch):
    monkeypatch.setattr(upload_module, "SYNC_SIZE", 2 << 20)
    store = open_store()
    about, data, _ = a_payload(9_000_000)
    upload = await store.create(len(data), about, created_ms=0)
    async with upload.writing(0) as sink:
        seen = []
        for at in range(0, len(data), 1 << 20):
            await sink.write(data[at : at + (1 << 20)])
            seen.append(upload.durable)
    assert seen[2] >= 2 << 20
    assert seen == sorted(seen)
    assert all(upload_offset - durable < 3 << 20 for upload_offset, durable in _with_offsets(seen))


class Counting:
    """A hasher that need not be fed with what was never written."""

    def update(self, part: bytes) -> None:
        pass

    def root(self) -> bytes:
        return bytes(32)


@pytest.mark.parametrize("border", [1 << 31, 1 << 32])
async def test_offsets_beyond_32_bits_are_offsets(open_store, monkeypatch, border):
    """In a sparse file: everything before the border is a hole."""
    monkeypatch.setattr(os, "posix_fallocate", lambda handle, _, size: os.ftruncate(handle, size))
    store = open_store(keep_free=0)
    size, start, data = border + 70_000, border - 5, os.urandom(70_005)
    upload = await store.create(size, b"984", created_ms=0)
    upload._state = replace(upload._state, durable=start)
    upload._written, upload._hasher = start, Counting()
    for at, end in ((0, 5), (5, 6), (6, 60_000), (60_000, len(data))):
        async with upload.writing(start + at) as sink:
            await sink.write(data[at:end])
        assert upload.durable == start + end
        noted = read(upload._part.with_suffix(".state"))
        assert noted is not None
        assert (noted.durable, noted.size) == (start + end, size)
    with refused("upload.length"):
        async with upload.writing(size) as sink:
            await sink.write(b"x")
    await store.finish(upload, NAME)
    assert await store.size(NAME) == size
    assert await store.read(NAME, start - 3, 3 + len(data)) == bytes(3) + data
    assert await store.read(NAME, border, 100) == data[5:105]


def _with_offsets(seen: list[int]) -> list[tuple[int, int]]:
    return [((number + 1) << 20, durable) for number, durable in enumerate(seen[:-1])]


async def test_after_a_failed_sync_only_what_was_durable_counts(open_store, monkeypatch):
    store = open_store()
    about, data, root = a_payload(500_000)
    upload = await store.create(len(data), about, created_ms=0)
    await send(upload, data, 0, 100_000)

    def failing(_) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(upload_module.os, "fdatasync", failing)
    with pytest.raises(OSError, match="Input/output error"):
        await send(upload, data, 100_000, 300_000)
    monkeypatch.undo()
    assert (upload.durable, upload.offset) == (100_000, 100_000)
    await send(upload, data, 100_000, len(data))
    assert await upload.root() == root
