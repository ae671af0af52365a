"""Whose uploads there are and who is writing (上传台): ownership, quotas, one writer, expiry.

Invariant: an upload of another organisation and one that never was are the same answer,
``upload.unknown``, so nobody learns before the deadline who is uploading. One connection writes to
an upload at a time; a second one takes over only from a connection that has fallen silent.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.rates import Budget, Slots
from server.http.settings import Limits
from server.http.steady_body import SteadyBody
from server.http.upload_note import UploadNote, read_note, write_note
from server.storage.blobs import BlobStore
from server.storage.upload import Upload

CUT_WITHIN_S: Final = 5.0  # flush and fdatasync of at most 8 MiB


@dataclass(slots=True)
class _Writer:
    """The connection that is sending to an upload."""

    body: SteadyBody
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class UploadDesk:
    """The uploads of a site, as their owners see them."""

    def __init__(self, blobs: BlobStore, limits: Limits, now_ms: Callable[[], int]) -> None:
        self.blobs = blobs
        self._limits = limits
        self._now_ms = now_ms
        self._notes: dict[str, UploadNote] = {}
        self._used_ms: dict[str, int] = {}
        self._writers: dict[str, _Writer] = {}
        self._slots = Slots(limits.writers_per_org_max, limits.writers_max, "upload.too_many")
        self.checked = Budget(limits.checked_bytes_max, "upload.too_many")
        self._pending: list[tuple[str, int]] = []  # (org, size) being created
        for upload in blobs.uploads():
            self._remember(upload)

    async def create(self, actor: Actor, tender: str, core: bytes, size: int) -> Upload:
        """A new upload of ``actor``'s organisation, within its quota; its room is reserved.

        Where the quota is used up, what the organisation itself has left lying longest gives way:
        a device that lost its uploads must not be locked out by them an hour before the deadline.
        """
        claim = (actor.org, size)
        if size > self._limits.upload_bytes_per_org_max:
            raise Refused("upload.too_large")
        self._pending.append(claim)
        try:
            await self._make_room(actor.org)
            note = UploadNote(actor.org, tender, core)
            upload = await self.blobs.create(size, write_note(note), created_ms=self._now_ms())
        finally:
            self._pending.remove(claim)
        self._remember(upload)
        return upload

    def find(self, actor: Actor, upload_id: str) -> tuple[Upload, UploadNote]:
        """The actor's own upload; ``upload.unknown`` for everything else."""
        note = self._notes.get(upload_id)
        if note is None or note.org != actor.org:
            raise Refused("upload.unknown")
        try:
            upload = self.blobs.upload(upload_id)
        except Refused:
            self._forget(upload_id)
            raise
        self._used_ms[upload_id] = self._now_ms()
        return upload, note

    def expiry_ms(self, upload: Upload) -> int:
        """Until when it is kept if nothing more happens to it."""
        used_ms = self._used_ms.get(upload.upload_id, upload.created_ms)
        return used_ms + self._limits.upload_idle_ms

    @contextmanager
    def writing(self, actor: Actor, upload: Upload, body: SteadyBody) -> Iterator[None]:
        """The connection behind ``body`` is the writer while the block runs.

        Raises ``upload.busy`` where there is one, ``upload.too_many`` beyond the organisation's
        share.
        """
        if upload.upload_id in self._writers:
            raise Refused("upload.busy")
        with self._slots.held(actor.org):
            writer = self._writers[upload.upload_id] = _Writer(body)
            try:
                yield
            finally:
                del self._writers[upload.upload_id]
                self._used_ms[upload.upload_id] = self._now_ms()
                writer.gone.set()

    async def displace_silent(self, upload: Upload) -> None:
        """Cuts a writer that has sent nothing for a while: its device has come back another way.

        A writer that is sending stays; the caller then meets ``upload.busy`` by itself.
        """
        writer = self._writers.get(upload.upload_id)
        if writer is None or writer.body.silent_s() < self._limits.takeover_after_s:
            return
        writer.body.cut()
        with suppress(TimeoutError):
            async with asyncio.timeout(CUT_WITHIN_S):
                await writer.gone.wait()

    async def discard(self, upload: Upload) -> None:
        """Removes an upload; raises ``upload.busy``."""
        await self.blobs.discard(upload)
        self._forget(upload.upload_id)

    async def finish(self, upload: Upload, bid_id: bytes) -> None:
        """Gives a complete payload the name of its bid; it is no upload any more."""
        await self.blobs.finish(upload, bid_id)
        self._forget(upload.upload_id)

    async def sweep(self) -> None:
        """Removes what nobody has touched for ``upload_idle_ms``, and what has no readable note."""
        now = self._now_ms()
        for upload in self.blobs.uploads():
            idle = upload.upload_id in self._notes and now < self.expiry_ms(upload)
            if idle or upload.upload_id in self._writers:
                continue
            with suppress(Refused):
                await self.discard(upload)

    async def _make_room(self, org: str) -> None:
        """Brings ``org`` with what it has announced under its quota, or raises upload.too_many."""
        while not self._fits(org):
            resting = [upload for upload in self._of(org) if self._is_resting(upload.upload_id)]
            if not resting:
                raise Refused("upload.too_many")
            oldest = min(resting, key=lambda upload: self._used_ms[upload.upload_id])
            await self.discard(oldest)

    def _fits(self, org: str) -> bool:
        sizes = [size for owner, size in self._pending if owner == org]
        sizes += [upload.size for upload in self._of(org)]
        return (
            len(sizes) <= self._limits.uploads_per_org_max
            and sum(sizes) <= self._limits.upload_bytes_per_org_max
        )

    def _of(self, org: str) -> list[Upload]:
        notes = self._notes
        found = [upload for upload in self.blobs.uploads() if upload.upload_id in notes]
        return [upload for upload in found if notes[upload.upload_id].org == org]

    def _is_resting(self, upload_id: str) -> bool:
        used_ms = self._used_ms[upload_id]
        is_old = self._now_ms() - used_ms >= self._limits.upload_resting_ms
        return is_old and upload_id not in self._writers

    def _remember(self, upload: Upload) -> None:
        note = read_note(upload.about)
        if note is not None:
            self._notes[upload.upload_id] = note
            self._used_ms[upload.upload_id] = self._now_ms()

    def _forget(self, upload_id: str) -> None:
        self._notes.pop(upload_id, None)
        self._used_ms.pop(upload_id, None)
