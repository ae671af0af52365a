"""A power cut at every call of the store: what was promised is there, whole, under its name."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from server.storage import upload as upload_module
from server.storage.blobs import BlobStore
from server.storage.upload import Upload
from tests.storage.cut_disk import Moment, Watched
from tests.storage.payloads import NAME, a_hasher, a_payload, send

PT_LEN = 60_000
PARTS = (0, 9_000, 30_000)
SMALL = bytes(range(1, 33))
HEADER = b"header of a bid" * 20
ABOUT, DATA, ROOT = a_payload(PT_LEN)
SYNCS = frozenset({"folder", "fsync", "fdatasync"})


@dataclass(frozen=True)
class Received:
    """A client was told that so many bytes are here."""

    upload_id: str
    size: int


@dataclass(frozen=True)
class Stored:
    """A blob has its name: ``finish`` or ``put`` has returned."""

    name: bytes
    kind: str


PAYLOAD, SMALL_BLOB = Stored(NAME, "kbc"), Stored(SMALL, "kbh")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


async def play(store: BlobStore, disk: Watched) -> None:
    """A payload in three requests, a header, and the end of the upload."""
    upload = await store.create(len(DATA), ABOUT, created_ms=5)
    disk.promise(Received(upload.upload_id, 0))
    for start, end in zip(PARTS, (*PARTS[1:], len(DATA)), strict=True):
        await send(upload, DATA, start, end, piece=4_000)
        disk.promise(Received(upload.upload_id, end))
    await store.put(SMALL, HEADER)
    disk.promise(SMALL_BLOB)
    assert await upload.root() == ROOT
    await store.finish(upload, NAME)
    disk.promise(PAYLOAD)
    await store.put(bytes(32), HEADER)  # life goes on


async def played(root: Path, patch: pytest.MonkeyPatch, deaf_to: frozenset[str]) -> Watched:
    disk = Watched(root, deaf_to)
    with patch.context() as patched:
        patched.setattr(upload_module, "GATHER_SIZE", 4_000)
        patched.setattr(upload_module, "SYNC_SIZE", 8_000)
        disk.install(patched)
        store = BlobStore(root, a_hasher, keep_free=0)
        await play(store, disk)
        store.close()
    return disk


async def broken(moment: Moment, tree: Path) -> list[str]:
    """What a store that is opened on this tree lacks of what was promised, or has in part."""
    store = BlobStore(tree, a_hasher, keep_free=0)
    uploads = {upload.upload_id: upload for upload in store.uploads()}
    lacking: list[str] = []
    payload, header = await store.size(NAME), await store.size(SMALL, "kbh")
    if payload is not None and await store.verify(NAME, a_hasher(ABOUT)) != ROOT:
        lacking.append(f"payload of {payload} bytes")
    if header is not None and await store.read(SMALL, 0, 9_999, "kbh") != HEADER:
        lacking.append(f"header of {header} bytes")
    for promise in moment.promised:
        if isinstance(promise, Stored):
            if await store.size(promise.name, promise.kind) is None:  # type: ignore[arg-type]
                lacking.append(f"no {promise.kind}")
        elif payload is None and not holds(uploads.get(promise.upload_id), promise.size):
            lacking.append(f"no {promise.size} bytes")
    store.close()
    return lacking


def holds(upload: Upload | None, size: int) -> bool:
    """At least so many bytes, and all that it says it has are the right ones."""
    if upload is None or not size <= upload.durable:
        return False
    return upload._part.read_bytes()[: upload.durable] == DATA[: upload.durable]


async def losses(disk: Watched, into: Path) -> list[str]:
    found: list[str] = []
    for moment, tree in disk.cuts(into):
        found += [f"{tree.name} after {moment.call}: {what}" for what in await broken(moment, tree)]
    return found


async def test_what_was_promised_is_there_after_a_cut_at_any_call(root, tmp_path, monkeypatch):
    disk = await played(root, monkeypatch, frozenset())
    calls = {moment.call for moment in disk.moments}
    assert {"pwrite .part", "fdatasync .part", "pwrite .state", "fdatasync .state"} <= calls
    assert {"rename .part", "rename .new", "mkdir 00", "fsync uploads", "fsync 00"} <= calls
    assert {PAYLOAD, SMALL_BLOB} <= set(disk.moments[-1].promised)
    (tmp_path / "cuts").mkdir()
    assert await losses(disk, tmp_path / "cuts") == []


@pytest.mark.parametrize(
    ("silent", "lost"),
    [
        (SYNCS, {"no kbc", "no kbh", f"no {len(DATA)} bytes"}),
        ({"folder"}, {"no kbc", "no kbh"}),
        ({"fsync"}, {"header of 0 bytes"}),
        ({"fdatasync"}, {f"no {PARTS[1]} bytes", f"no {len(DATA)} bytes"}),
    ],
    ids=["every sync", "syncs of folders", "syncs of small files", "syncs of payloads"],
)
async def test_the_same_without_syncs_loses_what_was_promised(
    root, tmp_path, monkeypatch, silent, lost
):
    """The cuts cut: a twin whose syncs do nothing does not pass."""
    disk = await played(root, monkeypatch, frozenset(silent))
    (tmp_path / "cuts").mkdir()
    found = await losses(disk, tmp_path / "cuts")
    assert lost <= {line.split(": ")[1] for line in found}


async def test_a_blob_put_again_after_a_kill_is_as_durable_as_at_once(root, tmp_path, monkeypatch):
    """A kill leaves names that no sync has covered; who finds them there must not trust them."""
    fails_at, killed = 0, True
    while killed:
        fails_at, killed = fails_at + 1, False
        place = tmp_path / f"life-{fails_at}"
        place.mkdir()
        disk = Watched(place)
        with monkeypatch.context() as patched:
            disk.install(patched)
            store = BlobStore(place, a_hasher, keep_free=0)
            disk.calls, disk.fails_at = 0, fails_at
            try:
                await store.put(SMALL, HEADER)
            except OSError:
                killed = True
            store.close()
            disk.fails_at = 0
            store = BlobStore(place, a_hasher, keep_free=0)
            await store.put(SMALL, HEADER)
            disk.promise(SMALL_BLOB)
            store.close()
        (tmp_path / f"cuts-{fails_at}").mkdir()
        assert await losses(disk, tmp_path / f"cuts-{fails_at}") == []
    assert fails_at >= 6
