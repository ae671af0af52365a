"""How the pure rules are asked: every event is encoded, logged and folded as the rooms do it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from crypto.entries import act_message, decode_entry, encode_entry
from crypto.hashes import sha256
from crypto.keys import SigningKey
from crypto.manifest import Manifest
from server.domain import bidding, deciding, opening, promises, tender
from server.domain.commands import Command
from server.domain.events import Event, decode, encode
from server.domain.log_entries import entries_of
from server.domain.model import SYSTEM, Actor, Context
from server.domain.opening import Opening
from server.domain.promises import Promise
from server.domain.refusals import Refused
from server.domain.tender import Tender
from tests.domain.cast import (
    HOST_KEY,
    PEOPLE,
    SUPERVISOR_KEY,
)
from tests.domain.sealed_bids import SealedBid
from tests.domain.tender_rules import DEADLINE_MS

DAY_MS = 86_400_000
ENTRY_SALT = bytes(16)


@dataclass(frozen=True)
class Journaled:
    stream: str
    event: Event
    ts_ms: int


@dataclass
class Journaling:
    """Both rooms' rules and what they made happen; ``ask`` judges a command as a room would."""

    rules: Manifest
    now_ms: int = DEADLINE_MS - DAY_MS
    tender: Tender = field(default_factory=lambda: Tender(allow_test=True))
    opening: Opening = field(default_factory=lambda: Opening(allow_test=True))
    journal: list[Journaled] = field(default_factory=list)
    store: dict[bytes, bytes] = field(default_factory=dict)  # bid_id -> sealed payload
    bids: list[SealedBid] = field(default_factory=list)  # the counting ones, as submitted
    log_size: int = 1000

    def copy(self) -> Self:
        return replace(
            self, journal=list(self.journal), store=dict(self.store), bids=list(self.bids)
        )

    # ---- asking

    def ask(
        self, command: Command, actor: Actor = SYSTEM, *, received_ms: int | None = None
    ) -> list[Event]:
        """The events that a command made; a refusal is raised after its evidence was kept."""
        of_tender = "tender" in command.ROOMS
        rules: Any = bidding if of_tender else deciding
        ctx = self.context(actor, received_ms)
        try:
            events = rules.decide(self.tender if of_tender else self.opening, command, ctx)
        except Refused as refused:
            self.keep(command.ROOMS[0], list(refused.evidence))
            raise
        self.keep(command.ROOMS[0], events)
        return events

    def context(self, actor: Actor, received_ms: int | None = None) -> Context:
        at = self.now_ms if received_ms is None else received_ms
        place = len(self.journal).to_bytes(4, "big")
        drawn = b"".join(sha256(b"entropy", place, bytes([k])) for k in range(16))
        return Context(actor, self.now_ms, at, drawn, PEOPLE)

    def keep(self, stream: str, events: Sequence[Event]) -> None:
        """What the shell does with events: encode, log, evolve."""
        for event in events:
            stored = decode(event.TYPE, event.VERSION, encode(event))
            assert stored == event
            assert entry_bytes(stored, self.rules, self.now_ms) is not None
            self.journal.append(Journaled(stream, stored, self.now_ms))
            if stream == "tender":
                self.tender = tender.evolve(self.tender, stored, self.now_ms)
            else:
                self.opening = opening.evolve(self.opening, stored, self.now_ms)

    def promised(self, command: Command, actor: Actor, **asked: Any) -> list[Promise]:
        """The promises that a command earns, accepted or refused."""
        ctx = self.context(actor, asked.get("received_ms"))
        try:
            events = self.ask(command, actor, **asked)
        except Refused as refused:
            return promises.promises_of_refusal(refused, ctx)
        return promises.promises_of(self.opening, command, ctx, repeated=not events)

    def events(self, kind: type[Event]) -> list[Any]:
        return [one.event for one in self.journal if isinstance(one.event, kind)]

    def later(self, ms: int) -> Self:
        self.now_ms += ms
        return self


def log_root(size: int) -> bytes:
    """The root of the log's tree of this size; no rule looks inside."""
    return sha256(b"root", size.to_bytes(4, "big"))


def signed_act(
    entry_type: int,
    rules: Manifest,
    members: dict[str, Any],
    signers: Sequence[SigningKey] = (HOST_KEY, SUPERVISOR_KEY),
) -> tuple[list[bytes], list[bytes]]:
    """The keys and signatures of officers under an act."""
    message = act_message(entry_type, rules.tender_id, members)
    return [key.public for key in signers], [key.sign(message) for key in signers]


def entry_bytes(event: Event, rules: Manifest, now_ms: int) -> list[bytes]:
    """The log entries of an event as the room would write them, each readable again."""
    made = [
        encode_entry(type_, members, ENTRY_SALT)
        for type_, members in entries_of(event, rules, now_ms)
    ]
    for raw in made:
        assert decode_entry(raw).members["tender_id"] == rules.tender_id.hex()
    return made
