"""The store on real files: a blob is there complete and durable, or not at all."""

import asyncio
import errno
import os

import pytest

from server.storage.errors import StorageFull
from tests.storage.payloads import NAME, a_hasher, a_payload, refused, send


async def test_a_payload_arrives_in_pieces_and_becomes_a_blob(open_store):
    store = open_store()
    about, data, root = a_payload(3_000_001)
    upload = await store.create(len(data), about, created_ms=5)
    assert store.upload(upload.upload_id) is upload
    assert (upload.size, upload.about, upload.created_ms, upload.durable) == (
        len(data),
        about,
        5,
        0,
    )
    await send(upload, data, 0, 1_500_000)
    assert upload.durable == 1_500_000
    assert not upload.is_complete
    await send(upload, data, 1_500_000, len(data), piece=7)
    assert upload.is_complete
    assert await upload.root() == root
    await store.finish(upload, NAME)
    assert store.uploads() == []
    assert await store.size(NAME) == len(data)
    assert b"".join([piece async for piece in store.pieces(NAME)]) == data
    assert await store.read(NAME, 1_000_000, 1000) == data[1_000_000:1_001_000]
    assert await store.read(NAME, len(data) - 3, 1000) == data[-3:]
    assert await store.verify(NAME, a_hasher(about)) == root
    assert list(store.names()) == [NAME]
    assert not os.access(store.path(NAME), os.X_OK)
    assert store.path(NAME).stat().st_mode & 0o777 == 0o440


async def test_what_a_crash_left_half_made_is_removed(open_store, tmp_path):
    store = open_store()
    kept = await store.create(1000, b"984", created_ms=0)
    store.close()
    uploads = tmp_path / "files" / "uploads"
    for name in ("0" * 32 + ".part", "1" * 32 + ".state", "2" * 32 + ".state.new"):
        (uploads / name).write_bytes(b"")
    assert [upload.upload_id for upload in open_store().uploads()] == [kept.upload_id]
    assert len(list(uploads.iterdir())) == 2


async def test_a_disk_without_room_says_so_before_the_first_byte(open_store, tmp_path):
    store = open_store(keep_free=1 << 60)
    with pytest.raises(StorageFull) as full:
        await store.create(1000, b"984", created_ms=0)
    assert full.value.code == "upload.storage_full"
    assert store.uploads() == []
    assert list((tmp_path / "files" / "uploads").iterdir()) == []


async def test_room_that_cannot_be_reserved_leaves_nothing_behind(
    open_store, tmp_path, monkeypatch
):
    def no_room(*_) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = open_store()
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(StorageFull):
        await store.create(1000, b"984", created_ms=0)
    assert list((tmp_path / "files" / "uploads").iterdir()) == []


async def test_a_discarded_upload_gives_everything_back(open_store, tmp_path):
    store = open_store()
    upload = await store.create(1000, b"984", created_ms=0)
    await store.discard(upload)
    assert list((tmp_path / "files" / "uploads").iterdir()) == []
    with refused("upload.unknown"):
        store.upload(upload.upload_id)


@pytest.mark.parametrize("text", ["", "..", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 32])
async def test_an_id_that_we_did_not_make_is_unknown(open_store, text):
    with refused("upload.unknown"):
        open_store().upload(text)


async def test_finishing_again_after_a_crash_changes_nothing(open_store):
    store = open_store()
    about, data, root = a_payload(100)
    upload = await store.create(len(data), about, created_ms=0)
    await send(upload, data, 0, len(data))
    await store.finish(upload, NAME)
    await store.finish(upload, NAME)
    assert await store.verify(NAME, a_hasher(about)) == root


async def test_a_repair_replaces_damaged_bytes(open_store):
    store = open_store()
    about, data, root = a_payload(100_000)
    for turn in range(2):
        upload = await store.create(len(data), about, created_ms=0)
        await send(upload, data, 0, len(data))
        await store.finish(upload, NAME)
        assert await store.verify(NAME, a_hasher(about)) == root
        if turn == 0:
            path = store.path(NAME)
            path.chmod(0o600)
            path.write_bytes(bytes(len(data)))
            assert await store.verify(NAME, a_hasher(about)) != root


async def test_a_blob_that_is_missing_short_or_long_does_not_verify(open_store):
    store = open_store()
    about, data, _ = a_payload(100_000)
    assert await store.verify(NAME, a_hasher(about)) is None
    await store.put(NAME, data[:-1], "kbc")
    assert await store.verify(NAME, a_hasher(about)) is None
    await store.remove(NAME)
    await store.put(NAME, data + b"\0", "kbc")
    assert await store.verify(NAME, a_hasher(about)) is None
    await store.remove(NAME)
    await store.remove(NAME)
    assert await store.size(NAME) is None


async def test_small_blobs_are_put_once(open_store):
    store = open_store()
    await store.put(NAME, b"header")
    await store.put(NAME, b"another")
    assert await store.read(NAME, 0, 100, "kbh") == b"header"
    assert await store.size(NAME) is None
    with pytest.raises(FileNotFoundError):
        await store.read(NAME, 0, 100)
    assert list(store.names("kbh")) == [NAME]


async def test_many_uploads_go_on_at_once(open_store):
    store = open_store()
    payloads = [a_payload(900_000 + number) for number in range(12)]

    async def one(number: int) -> None:
        about, data, root = payloads[number]
        upload = await store.create(len(data), about, created_ms=0)
        for start in range(0, len(data), 400_000):
            await send(upload, data, start, min(start + 400_000, len(data)))
        assert await upload.root() == root
        await store.finish(upload, bytes([number]) * 32)

    await asyncio.gather(*(one(number) for number in range(12)))
    assert len(list(store.names())) == 12
