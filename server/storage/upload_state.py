"""The small file beside a half-received payload (上传状态): how far it is safely on the disk.

Invariant: the offset read after a power cut is one that was noted after an fdatasync of the data,
so every byte below it is there. Two slots in different pages are written in turn; a torn write
harms only the newer one, and the older one is still true.

Layout: slot at 0 and at 4096, each u64 turn ‖ u64 durable ‖ 16 bytes of SHA-256 over id and both;
at 8192 u64 size ‖ u64 created_ms ‖ u16 length ‖ about ‖ 32 bytes of SHA-256 over all of it.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto.hashes import sha256
from server.storage.disk import write_whole

STATE_SUFFIX: Final = ".state"
ABOUT_SIZE_MAX: Final = 4096
SLOT_PLACES: Final = (0, 4096)
ABOUT_PLACE: Final = 8192
_SLOT: Final = struct.Struct(">QQ16s")
_ABOUT: Final = struct.Struct(">QQH")
_STATE_SIZE_MAX: Final = ABOUT_PLACE + _ABOUT.size + ABOUT_SIZE_MAX + 32


@dataclass(frozen=True, slots=True)
class UploadState:
    """An upload as it stands on the disk. ``about`` is the caller's, returned as it was given."""

    upload_id: str
    size: int
    created_ms: int
    about: bytes
    turn: int
    durable: int


def write_new(path: Path, state: UploadState) -> None:
    """Creates the file complete under its name, or not at all."""
    assert len(state.about) <= ABOUT_SIZE_MAX
    about = _ABOUT.pack(state.size, state.created_ms, len(state.about)) + state.about
    content = _slot_bytes(state).ljust(ABOUT_PLACE, b"\0") + about + sha256(about)
    write_whole(path, content, durable=True)


def note_durable(path: Path, state: UploadState) -> None:
    """Overwrites the older slot. Call it after the fdatasync of the data, never before."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(handle, _slot_bytes(state), SLOT_PLACES[state.turn % 2])
        os.fdatasync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> UploadState | None:
    """The state in the file; None when it is not one of ours or is damaged beyond use."""
    with path.open("rb") as file:
        content = file.read(_STATE_SIZE_MAX + 1)
    if not ABOUT_PLACE + _ABOUT.size <= len(content) <= _STATE_SIZE_MAX:
        return None
    tail = content[ABOUT_PLACE:]
    size, created_ms, length = _ABOUT.unpack_from(tail)
    about, digest = tail[: _ABOUT.size + length], tail[_ABOUT.size + length :]
    if digest != sha256(about):
        return None
    upload_id = path.stem
    # Neither slot whole would take two torn writes; nothing is then known to be there.
    turn, durable = max(
        (_read_slot(upload_id, content[place : place + _SLOT.size]) for place in SLOT_PLACES),
    )
    return UploadState(upload_id, size, created_ms, about[_ABOUT.size :], turn, durable)


def _slot_bytes(state: UploadState) -> bytes:
    return _SLOT.pack(
        state.turn, state.durable, _slot_digest(state.upload_id, state.turn, state.durable)
    )


def _read_slot(upload_id: str, raw: bytes) -> tuple[int, int]:
    turn, durable, digest = _SLOT.unpack(raw)
    return (turn, durable) if digest == _slot_digest(upload_id, turn, durable) else (0, 0)


def _slot_digest(upload_id: str, turn: int, durable: int) -> bytes:
    return sha256(upload_id.encode("ascii"), struct.pack(">QQ", turn, durable))[:16]
