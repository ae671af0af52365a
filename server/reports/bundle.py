"""opening.zip: everything that anybody needs to check an opening offline (formats.md §8,
sealing.md C15).

Pure assembly: bytes in, bytes out. Invariant: no code goes in; no half, share or plaintext of a
body goes in; names are ASCII and sorted, and every member but the index itself is named in the
index with its SHA-256.
"""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.canonical import Json, encode
from crypto.hashes import blake2b_512, label_bytes, sha256
from crypto.messages import parse_unlock
from crypto.objects.entry import ENTRY_TYPES, EntryType
from server.domain.opening import Opening, Window
from server.domain.opening_events import SetFrozen, UnlockReceived

FORMAT = 1
INDEX_LABEL = "KBID1 index"
FORM_STATES = ("opened", "malformed")
BY_ENVELOPE = frozenset(
    {EntryType.UNLOCK, EntryType.RELEASE, EntryType.SELF_RELEASE}
)  # shown for forms only
COUNTING = frozenset({EntryType.BIDDER_REG, EntryType.SUBMIT, EntryType.UNLOCK})


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry of the opening's tender, decoded, with its proof to the final checkpoint."""

    type: int
    members: Mapping[str, Any]
    proof: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Material:
    """What the rooms know about one opening."""

    state: Opening
    manifest_signatures: bytes
    payloads: Mapping[bytes, bytes]  # sealed forms by bid_id
    unlocks: Sequence[UnlockReceived]
    self_releases: Sequence[bytes]
    frozen: Sequence[SetFrozen]
    entries: Sequence[LoggedEntry]  # in log order
    final: str
    consistency: Sequence[Mapping[str, Json]]
    rows: Sequence[Mapping[str, Json]]


def is_public(entry: LoggedEntry, state: Opening) -> bool:
    """The column "pub" of the type table, for this opening."""
    if ENTRY_TYPES[entry.type].public == "no" or entry.type == EntryType.ATTEMPT:
        return False
    if entry.type in BY_ENVELOPE:
        forms = {n.envelope for n in state.rules().envelopes if n.kind == "form"}
        nonces = {w.nonces[e].hex() for w in _windows(state) for e in w.nonces if e in forms}
        if entry.members["nonce"] not in nonces:
            return False
    if entry.type == EntryType.SUBMIT:
        return entry.members["sha256"] in {sha256(raw).hex() for raw in state.submits}
    if entry.type == EntryType.BIDDER_REG:
        return entry.members["bidder_pk"] in {bid.bidder_pk.hex() for bid in state.bids}
    return True


def _windows(state: Opening) -> list[Window]:
    return [*state.windows, *([state.window] if state.window else [])]


def members(material: Material) -> dict[str, bytes]:
    """Every member but the index."""
    state = material.state
    found: dict[str, bytes] = {
        "manifest.json": state.rules().raw,
        "manifest.sig.json": material.manifest_signatures,
        "log/closing.txt": state.closing_checkpoint.encode(),
        "log/final.txt": material.final.encode(),
        "log/consistency.json": encode([dict(one) for one in material.consistency]),
        "log/entries.jsonl": _lines([e.proof for e in material.entries if is_public(e, state)]),
        "closed.json": encode({"submits": [sha256(raw).hex() for raw in state.submits]}),
        "journal.jsonl": _lines(material.rows),
    }
    for window in _windows(state):
        for envelope in window.nonces:
            if window.checkpoint:
                name = f"log/window-end-{envelope}-{window.w}.txt"
                found[name] = window.checkpoint.encode()
    found |= {f"submit/{sha256(raw).hex()}.bin": raw for raw in state.submits}
    for bid in state.bids:
        found |= {f"headers/{h.bid_id.hex()}.kbh": h.raw for h in bid.headers.values()}
    for bid_id, payload in material.payloads.items():
        if state.states.get(bid_id) in FORM_STATES:
            found[f"forms/{bid_id.hex()}.kbc"] = payload
    return found | _messages(material) | _results(material)


def _messages(material: Material) -> dict[str, bytes]:
    """UNLOCKs, cards, RELEASEs and self-releases, of the form envelopes only (F8)."""
    state = material.state
    suite = state.suite()
    forms = {n.envelope for n in state.rules().envelopes if n.kind == "form"}
    found: dict[str, bytes] = {}
    for event in material.unlocks:
        for raw in event.messages:
            if event.by == "card":
                (bid_id,) = event.halves
                if state.envelopes[bid_id][1] in forms:
                    found[f"card/{sha256(raw).hex()}.bin"] = raw
            elif parse_unlock(raw, suite).envelope in forms:
                found[f"unlock/{sha256(raw).hex()}.bin"] = raw
    for messages in state.releases.values():
        for envelope, message in messages.items():
            if envelope in forms:
                found[f"release/{message.digest.hex()}.bin"] = message.raw
    found |= {f"self/{sha256(raw).hex()}.bin": raw for raw in material.self_releases}
    return found


def _results(material: Material) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    windows = {n: (e, w.w) for w in _windows(material.state) for e, n in w.nonces.items()}
    pairs = zip(material.frozen, material.state.readouts, strict=True)
    for number, (frozen, readout) in enumerate(pairs):
        envelope, w = windows[frozen.nonce]
        suffix = "" if number == 0 else f"-{envelope}-{w}"
        found[f"frozen{suffix}.json"] = frozen.frozen
        found[f"readout{suffix}.json"] = readout
    return found


def _lines(objects: Sequence[Mapping[str, Json]]) -> bytes:
    return b"".join(encode(dict(one)) + b"\n" for one in objects)


def archive(found: Mapping[str, bytes], tender_id: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The zip's bytes; the same members give the same bytes."""
    listed: list[Json] = [
        {"name": name, "sha256": sha256(raw).hex(), "size": len(raw)}
        for name, raw in sorted(found.items())
    ]
    index = encode({"format": FORMAT, "members": listed, "tender_id": tender_id.hex()})
    signed = label_bytes(INDEX_LABEL) + blake2b_512(index)
    everything = {**found, "index.json": index, "index.sig": sign(signed)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
        for name, raw in sorted(everything.items()):
            info = zipfile.ZipInfo(name)  # no clock in it: 1980-01-01
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            bundle.writestr(info, raw)
    return out.getvalue()
