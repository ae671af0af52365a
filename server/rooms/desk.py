"""The desk (服务窗口): what people may look up about tenders and openings, and who may.

Implements `server.http.ports.Hall` together with `hall`. Invariant: before the deadline nothing
here tells anybody but the bidder concerned that a bid exists; halves are shown to trustees only,
after WINDOW_END.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.header import Header, accept_core, core_size, parse_core, parse_header
from crypto.manifest import Manifest
from crypto.receipts import closed_path
from crypto.registration import organisation_hash
from server.domain import commands as cmd
from server.domain.bidding import check_envelope
from server.domain.log_entries import (
    BIDDER_REG,
    DEADLINE_CHANGE,
    DEADLINE_CLOSED,
    OPENING_START,
    SUBMIT,
    WINDOW_CHANGE,
    WINDOW_END,
)
from server.domain.model import STAFF, Actor, Role
from server.domain.opening import Opening, Stage
from server.domain.refusals import Refused
from server.domain.registry import Person
from server.domain.roles import RELEASERS
from server.domain.tender import Received, Registration, Tender
from server.rooms import repairs
from server.rooms.bundles import write_bundle
from server.rooms.evidence import evidence
from server.rooms.hall import Hall, members_of

CONSISTENCY_MAX = 1 << 40


class Desk:
    """Everything http asks; sees the hall, changes it only through its rooms."""

    def __init__(self, hall: Hall, *, demo_people: Mapping[str, Any] | None = None) -> None:
        self.hall = hall
        self.pass_clock = hall.pass_clock
        self._demo_people = demo_people

    # ---- people and rooms

    def now_ms(self) -> int:
        return self.hall.now_ms()

    def person_by_key(self, login_pk: bytes) -> Person | None:
        return self.hall.person_by_key(login_pk)

    def room(self, room: str) -> "AskRoom | None":
        return AskRoom(self.hall, room) if self.hall.find_room(room) else None

    def may_subscribe(self, actor: Actor, room: str, audience: str) -> bool:
        return self.hall.may_subscribe(actor, room, audience)

    async def events(
        self, room: str, audience: str, after: int, limit: int, wait_ms: int
    ) -> tuple[int, Sequence[tuple[int, int, str, bytes, bytes]]]:
        return await self.hall.events(room, audience, after, limit, wait_ms)

    async def demo_people(self) -> Mapping[str, Any]:
        if self._demo_people is None:
            raise Refused("room.unknown")
        return self._demo_people

    # ---- tenders

    async def tenders(self) -> Sequence[Mapping[str, Any]]:
        """The public board, by deadline."""
        board: list[dict[str, Any]] = []
        for room in self.hall.rooms("opening"):
            state: Opening = room.state
            if state.manifest is None:
                continue
            rules = state.rules()
            window = state.window if state.stage is Stage.DECRYPTION else None
            board.append(
                {
                    "id": room.stream.split(":", 1)[1],
                    "number": rules.number,
                    "title": rules.title,
                    "purchaser": rules.purchaser.name,
                    "agency": rules.agency.name,
                    "deadline_ms": state.deadline_ms,
                    "stage": str(state.stage),
                    "session_end_ms": window.end_ms if window else None,
                }
            )
        return sorted(board, key=lambda line: (line["deadline_ms"], line["id"]))

    async def manifest(self, tender: str) -> tuple[bytes, bytes]:
        state = self._tender(tender)
        return state.rules().raw, state.signatures

    async def mine(self, actor: Actor, tender: str) -> Mapping[str, Any]:
        """What one organisation has in a tender, with every receipt it can have by now."""
        if actor.role is not Role.BIDDER:
            raise Refused("auth.role")
        state = self._tender(tender)
        registration = state.by_org.get(actor.org)
        own = [r for chain in state.chains.values() for r in chain if r.org == actor.org]
        return {
            "registration": _registration(registration),
            "envelopes": [
                {
                    "envelope": s.header.envelope,
                    "lot": s.header.lot,
                    "bid_id": bid_id,
                    "header": s.header.raw,
                    "submitted": bid_id in state.listed,
                }
                for bid_id, s in state.stored.items()
                if s.org == actor.org
            ],
            "submits": [
                {
                    "sha256": r.message.digest,
                    "kind": r.message.kind,
                    "lot": r.message.lot,
                    "seq": r.message.seq,
                    "result": 0,
                    "received_ms": r.received_ms,
                    "message": r.message.raw,
                }
                for r in own
            ],
            "receipts": [receipt for r in own if (receipt := self._receipt(state, r))],
        }

    def _receipt(self, state: Tender, received: Received) -> dict[str, Any] | None:
        """formats.md §7; None until the entry is under a checkpoint (a second at most)."""
        rules, digest = state.rules(), received.message.digest
        for logged in self.hall.site_log.entries(rules.tender_id, {SUBMIT}):
            members = members_of(logged)
            if members["sha256"] != digest.hex() or members["result"] != 0:
                continue
            closed = [r.message.digest for r in state.counting()] if state.closed else []
            counts = digest in closed
            size = self.hall.site_log.leaf_count
            return {
                "ack": self.hall.ack_of(rules.tender_id, received, members["server_ms"]),
                "checkpoint": self.hall.site_log.checkpoint_at(size).text,
                "closed_path": closed_path(closed, digest) if counts else None,
                "message": received.message.raw,
                "proof": self.hall.site_log.proof(logged, size),
            }
        return None

    def upload_terms(self, actor: Actor, tender: str, core: bytes) -> int:
        state = self._tender(tender)
        registration = state.by_org.get(actor.org)
        if registration is None:
            raise Refused("bid.not_registered")
        if state.closed or self.now_ms() >= state.deadline_ms:
            raise Refused("bid.late", deadline_ms=state.deadline_ms)
        rules = state.rules()
        if len(core) != core_size(rules.suite_impl):
            raise Rejected("header.length")
        number = parse_core(core, rules.suite_impl).envelope
        terms = rules.terms(number, registration.bidder_pk, registration.bidder_xpk)
        return accept_core(core, terms).payload_size

    def check_envelope(self, actor: Actor, header: bytes) -> tuple[str, Header]:
        """(tender id, header): C6 in the tender that the header names."""
        for room in self.hall.rooms("tender"):
            state: Tender = room.state
            if state.manifest is None:
                continue
            if _names(header, state.rules()):
                return room.stream.split(":", 1)[1], check_envelope(state, header, actor.org)
        raise Refused("tender.unknown")

    async def store_envelope(
        self, actor: Actor, tender: str, header: bytes, blob: str, ct_root: bytes
    ) -> Mapping[str, Any]:
        room = self.hall.find_room(f"tender:{tender}")
        if room is None:
            raise Refused("tender.unknown")
        command = cmd.StoreEnvelope(header=header, ct_root=ct_root)
        answer = await room.ask(command, actor, "", self.now_ms())
        if not answer.ok:
            raise Refused(answer.code, **answer.detail)
        return {"bid_id": bytes.fromhex(blob)}

    # ---- the log

    async def checkpoint_text(self) -> str:
        checkpoint = self.hall.site_log.checkpoint
        if checkpoint is None:
            raise Refused("opening.not_ready")
        return checkpoint.text

    async def consistency(self, from_size: int, to_size: int) -> Mapping[str, Any]:
        if not 0 < from_size <= to_size <= self.hall.site_log.leaf_count:
            raise Refused("query.malformed")
        return self.hall.site_log.consistency(from_size, to_size)

    # ---- openings, after the deadline

    async def closed_list(self, opening: str) -> Mapping[str, Any]:
        return {"submits": self._closed(opening)}

    async def closed_path(self, opening: str, submit_sha256: bytes) -> Mapping[str, Any]:
        closed = self._closed(opening)
        if submit_sha256 not in closed:
            raise Refused("bid.unknown")
        return _path(closed, submit_sha256)

    async def sealed_bid(self, opening: str, start: bytes) -> Mapping[str, Any]:
        """What the page of an unlock card must see before the half leaves it (C8, C7).

        Two bid_ids that begin alike would cost their maker 2^32 tries; the lower one is shown.
        """
        state, closed = self._opening(opening), self._closed(opening)
        if not state.submits:
            raise Refused("opening.not_ready")  # the closed list is on its way to the opening
        found = min((b for b in state.envelopes if b.startswith(start)), default=None)
        if found is None:
            raise Refused("bid.unknown")
        bid, envelope = state.envelopes[found]
        submit = state.submits[bid.no - 1]
        shown = {"header": bid.headers[envelope].raw, "submit": submit}
        return shown | _path(closed, sha256(submit))

    async def proofs(self, opening: str, size: int) -> Mapping[str, Any]:
        """The public entries that a client needs before it hands over a half or a share (C7)."""
        tender_id = self._opening(opening).rules().tender_id
        size = self._tree(size)
        closed = self._proofs(tender_id, DEADLINE_CLOSED, size)
        return {
            "deadline_closed": closed[0] if closed else None,
            "deadline_changes": self._proofs(tender_id, DEADLINE_CHANGE, size),
            "opening_starts": self._proofs(tender_id, OPENING_START, size),
            "window_changes": self._proofs(tender_id, WINDOW_CHANGE, size),
            "window_ends": self._proofs(tender_id, WINDOW_END, size),
            "checkpoint": self.hall.site_log.checkpoint_at(size).text if size else "",
        }

    def _tree(self, size: int) -> int:
        """The size asked for, or the newest for 0."""
        newest = self.hall.site_log.leaf_count
        if size > newest:
            raise Refused("query.malformed", name="size")
        return size or newest

    def _proofs(self, tender_id: bytes, entry_type: int, size: int) -> list[Any]:
        log = self.hall.site_log
        found = log.entries(tender_id, {entry_type})
        return [proof for one in found if (proof := log.proof(one, size))]

    async def envelopes(self, opening: str, actor: Actor, size: int) -> Mapping[str, Any]:
        state = self._opening(opening)
        if actor.role not in STAFF:
            raise Refused("auth.role")
        if not state.submits:
            raise Refused("opening.not_ready")
        headers = [header.raw for bid in state.bids for header in bid.headers.values()]
        log, size, tender_id = self.hall.site_log, self._tree(size), state.rules().tender_id
        counting = {bid.bidder_pk.hex() for bid in state.bids}
        registered = [
            one
            for one in log.entries(tender_id, {BIDDER_REG})
            if members_of(one)["bidder_pk"] in counting
        ]
        return {
            "submits": list(state.submits),
            "headers": headers,
            "registrations": [p for one in registered if (p := log.proof(one, size))],
        }

    async def halves(self, opening: str, actor: Actor) -> Mapping[str, Any]:
        """Every s_B, for whoever may release in this opening, after WINDOW_END (C7). The host may
        not, also where its own organisation holds a key.
        """
        state = self._opening(opening)
        codes = {trustee.code for trustee in state.rules().trustees}
        if actor.role not in RELEASERS or actor.org not in codes:
            raise Refused("auth.role")
        if state.window is None or not state.window.ended:
            raise Refused("opening.not_ready")
        return {"halves": {bid_id: u.half for bid_id, u in state.halves.items()}}

    async def damaged_header(self, opening: str, actor: Actor, bid_id: bytes) -> Header:
        return await repairs.damaged_header(self.hall, opening, actor, bid_id)

    async def report_repair(self, opening: str, actor: Actor, header: Header) -> None:
        await repairs.report(self.hall, opening, actor, header)

    async def evidence(self, opening: str, actor: Actor, bid_id: bytes) -> Mapping[str, Any]:
        return evidence(self.hall, opening, actor, bid_id)

    async def bundle_path(self, opening: str) -> Path:
        """opening.zip as of now: later ones only hold more."""
        return await write_bundle(self.hall, opening)

    # ---- inside

    def _tender(self, tender: str) -> Tender:
        room = self.hall.find_room(f"tender:{tender}")
        if room is None or room.state.manifest is None:
            raise Refused("tender.unknown")
        state: Tender = room.state
        return state

    def _opening(self, opening: str) -> Opening:
        room = self.hall.find_room(f"opening:{opening}")
        if room is None or room.state.manifest is None:
            raise Refused("room.unknown")
        state: Opening = room.state
        return state

    def _closed(self, opening: str) -> list[bytes]:
        state = self._tender(opening)
        if not state.closed:
            raise Refused("opening.not_ready")
        return [r.message.digest for r in state.counting()]


def _names(raw: bytes, rules: Manifest) -> bool:
    """Whether these bytes are a header that names this tender."""
    with contextlib.suppress(Rejected):
        return parse_header(raw, rules.suite_impl).tender_id == rules.tender_id
    return False


class AskRoom:
    """One room as http sees it."""

    def __init__(self, hall: Hall, stream: str) -> None:
        self._hall = hall
        self._stream = stream

    async def ask(self, command: cmd.Command, actor: Actor, cmd_id: str, received_ms: int) -> Any:
        return await self._hall.ask(self._stream, command, actor, cmd_id, received_ms)


def _registration(found: Registration | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "org": found.org,
        "name": found.name,
        "org_sha256": organisation_hash(found.org),
        "bidder_pk": found.bidder_pk,
        "bidder_xpk": found.bidder_xpk,
        "expiry_ms": found.expiry_ms,
        "certified": found.certified,
    }


def _path(closed: list[bytes], digest: bytes) -> dict[str, Any]:
    """Where a SUBMIT stands in the closed list; ``closed`` is sorted."""
    return {
        "path": closed_path(closed, digest),
        "index": closed.index(digest),
        "count": len(closed),
    }
