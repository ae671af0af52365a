"""A small hall for the HTTP side to stand before: one tender, two bidders, real sealing.

Its rooms write down what they are asked and answer what the test wants; its channels are lists.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from crypto.header import (
    EnvelopeTerms,
    Header,
    accept_core,
    accept_header,
    parse_core,
    parse_header,
)
from crypto.keys import BoxKey, SigningKey
from crypto.sealing import Sealed, seal_bytes
from crypto.suites import NACL_1, get_suite
from server.domain.commands import Command
from server.domain.model import Actor, Role
from server.domain.refusals import Refused
from server.domain.registry import Person
from server.domain.roles import may_subscribe
from signaling.pass_clock import PassClock

TENDER = "jz-2026-sg-0417"
START_MS = 1_795_138_000_000
DEADLINE_MS = START_MS + 3_600_000
TRUSTEES = tuple(BoxKey(bytes([i]) * 32).public for i in (1, 2, 3))


def key(seed: int) -> SigningKey:
    return SigningKey(bytes([seed]) * 32)


# name -> (login key, person)
PEOPLE = {
    name: (
        key(seed),
        Person(Actor(name, role, org, name), f"{org} Ltd", key(seed).public),
    )
    for seed, (name, role, org) in enumerate(
        (
            ("bidder-a", Role.BIDDER, "ORG-A"),
            ("bidder-a2", Role.BIDDER, "ORG-A"),
            ("bidder-b", Role.BIDDER, "ORG-B"),
            ("host", Role.HOST, "ORG-H"),
            ("trustee", Role.TRUSTEE, "ORG-T"),
        ),
        start=10,
    )
}


@dataclass
class Answer:
    ok: bool = True
    result: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    retryable: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class SmallRoom:
    """Writes down what it is asked and answers what the test wants."""

    asked: list[tuple[Command, Actor, str, int]] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Answer(result={"seq": 7, "acks": [b"\x01\xff"]}))

    async def ask(self, command: Command, actor: Actor, cmd_id: str, received_ms: int) -> Answer:
        self.asked.append((command, actor, cmd_id, received_ms))
        return self.answer


class SmallPassClock:
    def received_ms(self) -> int:
        return START_MS - 5


class SmallHall:
    """``server.http.ports.Hall`` for one tender with two registered bidders."""

    def __init__(self, bundle: Path) -> None:
        self.pass_clock: PassClock | SmallPassClock = SmallPassClock()
        self.ms = START_MS
        self.people = {person.login_pk: person for _, person in PEOPLE.values()}
        self.rooms = {f"{kind}:{TENDER}": SmallRoom() for kind in ("tender", "opening")}
        self.rooms["registry"] = SmallRoom()
        self.channels: dict[tuple[str, str], list[tuple[int, int, str, bytes, bytes]]]
        self.channels = defaultdict(list)
        self.epoch = 3
        self.heard = asyncio.Event()
        self.bundle = bundle
        self.stored: dict[bytes, tuple[str, bytes, bytes]] = {}  # bid_id -> org, header, ct_root
        self.broken = False

    def now_ms(self) -> int:
        return self.ms

    def person_by_key(self, login_pk: bytes) -> Person | None:
        return self.people.get(login_pk)

    def room(self, room: str) -> SmallRoom | None:
        return self.rooms.get(room)

    def may_subscribe(self, actor: Actor, room: str, audience: str) -> bool:
        return may_subscribe(actor, room, audience)

    async def events(self, room: str, audience: str, after: int, limit: int, wait_ms: int):
        def page() -> list[tuple[int, int, str, bytes, bytes]]:
            return [row for row in self.channels[room, audience] if row[0] > after][:limit]

        if not page() and wait_ms:
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await self.heard.wait()
            except TimeoutError:
                pass
        return self.epoch, page()

    def publish(self, room: str, audience: str, type_: str, body: Mapping[Any, Any]) -> None:
        rows = self.channels[room, audience]
        rows.append(
            (len(rows) + 1, self.ms, type_, msgspec.msgpack.encode(body), bytes([len(rows)]) * 32)
        )
        self.heard.set()

    async def tenders(self) -> Sequence[Mapping[str, Any]]:
        if self.broken:
            raise KeyError("a mistake of ours")
        return [{"id": TENDER, "number": "JZ-0417", "title": "江洲", "deadline_ms": DEADLINE_MS}]

    async def manifest(self, tender: str) -> tuple[bytes, bytes]:
        if tender != TENDER:
            raise Refused("tender.unknown")
        return b'{"a":1}', b'{"sigs":[]}'

    async def mine(self, actor: Actor, tender: str) -> Mapping[str, Any]:
        return {
            "registration": {"org": actor.org},
            "envelopes": [{"bid_id": b} for b, row in self.stored.items() if row[0] == actor.org],
        }

    async def checkpoint_text(self) -> str:
        return "hall.example/kaibiao/log\n1\n"

    async def consistency(self, from_size: int, to_size: int) -> Mapping[str, Any]:
        return {"from": from_size, "to": to_size, "path": [b"\x01" * 32]}

    async def closed_list(self, opening: str) -> Mapping[str, Any]:
        if self.ms < DEADLINE_MS:
            raise Refused("opening.not_ready")
        return {"submits": [b"\x02" * 32]}

    async def proofs(self, opening: str, size: int) -> Mapping[str, Any]:
        return {"deadline_closed": None}

    async def closed_path(self, opening: str, submit_sha256: bytes) -> Mapping[str, Any]:
        raise Refused("bid.unknown")

    async def sealed_bid(self, opening: str, start: bytes) -> Mapping[str, Any]:
        if self.ms < DEADLINE_MS:
            raise Refused("opening.not_ready")
        return {"header": start, "submit": b"", "path": [], "index": 0, "count": 1}

    async def envelopes(self, opening: str, actor: Actor, size: int) -> Mapping[str, Any]:
        return {"submits": [], "headers": [b"\x03"]}

    async def halves(self, opening: str, actor: Actor) -> Mapping[str, Any]:
        return {"halves": {b"\x04" * 32: b"\x05" * 32}}

    async def bundle_path(self, opening: str) -> Path:
        if not self.bundle.exists():
            raise Refused("bundle.not_ready")
        return self.bundle

    async def demo_people(self) -> Mapping[str, Any]:
        return {"people": []}

    def upload_terms(self, actor: Actor, tender: str, core: bytes) -> int:
        if tender != TENDER:
            raise Refused("tender.unknown")
        if self.ms >= DEADLINE_MS:
            raise Refused("bid.late")
        return accept_core(core, terms_of(actor.org, parse_core(core).envelope)).payload_size

    def check_envelope(self, actor: Actor, header: bytes) -> tuple[str, Header]:
        parsed = parse_header(header)
        return TENDER, accept_header(header, terms_of(actor.org, parsed.envelope))

    async def store_envelope(
        self, actor: Actor, tender: str, header: bytes, blob: str, ct_root: bytes
    ) -> Mapping[str, Any]:
        bid_id = bytes.fromhex(blob)
        self.stored[bid_id] = (actor.org, header, ct_root)
        return {"bid_id": bid_id}


def bid_key(org: str) -> SigningKey:
    return key(100 + ord(org[-1]) % 100)


def terms_of(org: str, envelope: int) -> EnvelopeTerms:
    """Envelope 1 is the form, envelope 2 a body of at most 32 MiB."""
    return EnvelopeTerms(
        suite=get_suite(NACL_1),
        tender_id=b"\x0a" * 32,
        lots={1},
        envelope=envelope,
        kind="form" if envelope == 1 else "body",
        log2_chunk=16,
        pt_len_max=65_536 if envelope == 1 else 32 << 20,
        t=2,
        trustee_xpks=TRUSTEES,
        demo=False,
        bidder_pk=bid_key(org).public,
        bidder_xpk=BoxKey(bytes([ord(org[-1])]) * 32).public,
    )


def sealed(org: str = "ORG-A", *, size: int = 65_536, envelope: int = 2, nonce: int = 0) -> Sealed:
    """An envelope of ``org``; its payload is a little longer than ``size``."""
    suite = get_suite(NACL_1)
    plaintext = bytes(nonce.to_bytes(8) * (size // 8))
    return seal_bytes(
        terms_of(org, envelope),
        plaintext,
        lot=1,
        created_ms=START_MS,
        bid_nonce=nonce.to_bytes(suite.bid_nonce_size),
        seed=(nonce + 1).to_bytes(suite.seed_size),
        key=bid_key(org),
    )
