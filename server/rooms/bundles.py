"""Collecting what one opening's bundle needs from journal, site log and store."""

import asyncio
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from crypto.ack import RESULT_ACCEPTED
from crypto.canonical import Json
from crypto.checkpoint import parse_checkpoint
from crypto.messages import Release
from server.domain.documents import joined
from server.domain.events import HALL, decode
from server.domain.log_entries import READ_OUT, RELEASE, SUBMIT
from server.domain.opening import Opening
from server.domain.opening_events import (
    DocumentPart,
    PricesReadOut,
    SelfReleaseReceived,
    SetFrozen,
    UnlockReceived,
)
from server.domain.refusals import Refused
from server.reports.bundle import LoggedEntry, Material, archive, members
from server.rooms.hall import Hall, members_of
from server.rooms.rows import payload_of
from server.storage.journal import Row

ROWS_AT_ONCE = 1000


async def write_bundle(hall: Hall, opening_id: str) -> Path:
    """opening.zip of this moment, in the hall's bundles folder. Raises bundle.not_ready."""
    room = hall.find_room(f"opening:{opening_id}")
    tender = hall.find_room(f"tender:{opening_id}")
    if room is None or tender is None:
        raise Refused("room.unknown")
    state: Opening = room.state
    log = hall.site_log
    size = log.leaf_count
    tender_id = state.rules().tender_id
    read_outs = log.entries(tender_id, {READ_OUT})
    if not state.readouts or len(read_outs) < len(state.readouts):
        raise Refused("bundle.not_ready")
    payloads = {
        bid_id: await hall.worker.payload(bid_id)
        for bid_id, (_, envelope) in state.envelopes.items()
        if state.rules().envelope(envelope).kind == "form"
    }
    signatures: bytes = tender.state.signatures
    raw = await asyncio.to_thread(_archive, hall, room.stream, state, signatures, payloads, size)
    target = hall.directory / "bundles" / f"opening-{opening_id}.zip"
    await asyncio.to_thread(_write_whole, target, raw)
    return target


def _archive(
    hall: Hall,
    stream: str,
    state: Opening,
    signatures: bytes,
    payloads: dict[bytes, bytes],
    size: int,
) -> bytes:
    log, rules = hall.site_log, state.rules()
    logged = [*log.entries(rules.tender_id), *log.entries(None, {1}), *log.stream_heads(stream)]
    logged = sorted((one for one in logged if one.index < size), key=lambda o: (o.index, o.slot))
    entries: list[LoggedEntry] = []
    newest = 0
    for one in {(one.index, one.slot): one for one in logged}.values():
        proof = log.proof(one, size)
        assert proof is not None
        found = members_of(one)
        if found.get("stream") == stream:
            newest = max(newest, found["seq"])
        # A SUBMIT that was incomplete may have come again: only the accepted one is shown.
        if one.type != SUBMIT or found["result"] == RESULT_ACCEPTED:
            entries.append(LoggedEntry(one.type, found, proof))
    rows = [row for row in _rows(hall, stream) if row.seq <= newest]
    events = joined(decode(r.type, r.ver, payload_of(r)) for r in rows if r.type in _TYPES)
    final = log.checkpoint_at(size)
    material = Material(
        state=replace(state, releases=_logged_releases(state, entries)),
        manifest_signatures=signatures,
        payloads=payloads,
        unlocks=[e for e in events if isinstance(e, UnlockReceived)],
        self_releases=[
            e.message
            for e in events
            if isinstance(e, SelfReleaseReceived) and _is_form(state, e.bid_id)
        ],
        frozen=[e for e in events if isinstance(e, SetFrozen)],
        entries=entries,
        final=final.text,
        consistency=_consistency(hall, state, size),
        rows=[_as_json(row) for row in rows],
    )
    return archive(members(material), rules.tender_id, hall.sign_index)


def _is_form(state: Opening, bid_id: bytes) -> bool:
    """Halves of bodies are shown to nobody (sealing.md F8)."""
    return state.rules().envelope(state.envelopes[bid_id][1]).kind == "form"


def _logged_releases(state: Opening, entries: list[LoggedEntry]) -> dict[int, dict[int, Release]]:
    """The releases whose entries are in this bundle: one that came just now is in the next."""
    logged = {e.members["sha256"] for e in entries if e.type == RELEASE}
    return {
        place: {n: message for n, message in own.items() if message.digest.hex() in logged}
        for place, own in state.releases.items()
    }


_TYPES = frozenset(
    {UnlockReceived.TYPE, SelfReleaseReceived.TYPE, DocumentPart.TYPE, SetFrozen.TYPE}
    | {PricesReadOut.TYPE}
)


def _rows(hall: Hall, stream: str) -> list[Row]:
    rows: list[Row] = []
    while page := hall.journal.read(stream, rows[-1].seq if rows else 0, ROWS_AT_ONCE):
        rows += page
    return rows


def _consistency(hall: Hall, state: Opening, size: int) -> list[dict[str, Json]]:
    """Between the checkpoints of the bundle, ascending."""
    log = state.rules().log
    windows = [*state.windows, *([state.window] if state.window else [])]
    texts = [state.closing_checkpoint, *(w.checkpoint for w in windows if w.checkpoint)]
    sizes = sorted({parse_checkpoint(t, log.origin, log.pk).size for t in texts} | {size})
    return [hall.site_log.consistency(a, b) for a, b in pairwise(sizes)]


def _as_json(row: Row) -> dict[str, Json]:
    """A row of journal.jsonl; what was not for the hall keeps its body to itself."""
    shown = row.audience == HALL
    stub: dict[str, Any] = {
        "audience": row.audience,
        "epoch": row.epoch,
        "seq": row.seq,
        "stream": row.stream,
        "ts_ms": row.ts_ms,
        "type": row.type,
        "ver": row.ver,
    }
    return {
        "body": row.body.hex() if shown else None,
        "body_hash": row.body_hash.hex(),
        "hash": row.hash.hex(),
        "prev_hash": row.prev_hash.hex(),
        "salt": row.salt.hex() if shown else None,
        "stub": stub,
    }


def _write_whole(target: Path, raw: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with partial.open("wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(target)
