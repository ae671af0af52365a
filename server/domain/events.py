"""Events (事件) and how they are named: the base class and the one registry of types.

An event is a frozen value. Its journal type, version and audience are fixed by its class; the
journal stores ``msgpack.encode(event)`` verbatim as the payload, so a field is only ever added
with a default, and a change of meaning is a new version with an upcaster (``UPCASTERS``).
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import msgspec

HALL = "hall"
STAFF_AUDIENCE = "staff"
PARTY = "party:"  # and the organisation's code
SEALED = "sealed"  # goes to nobody; later rows or pages disclose what the stage allows


def party(org: str) -> str:
    """The channel of one organisation's own devices."""
    return PARTY + org


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. ``TYPE`` and ``VERSION`` are journal columns, not payload."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    AUDIENCE: ClassVar[str] = SEALED

    def audience(self) -> str:
        """Which channel carries this event; the class's audience unless a party is concerned."""
        return self.AUDIENCE


class PartyEvent(Event, frozen=True, kw_only=True):
    """An event that concerns one organisation only."""

    org: str

    def audience(self) -> str:
        return party(self.org)


class Proposal(Event, frozen=True, kw_only=True):
    """An act that one officer has signed (提议): nothing until the other one has signed the same.

    ``act``: SHA-256 of the signed bytes (``crypto.entries.act_message``), the name of exactly this.
    """

    act: bytes
    by: str  # role of the officer who signed first
    person: str
    name: str
    reason: str
    pk: bytes
    sig: bytes


EVENTS: dict[str, type[Event]] = {}

# (type, stored version) -> function from the stored payload (plain map) to the next version's
# payload.
UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}


E = TypeVar("E", bound=type[Event])


def journaled(type_: str, audience: str = SEALED, version: int = 1) -> Callable[[E], E]:
    """Registers a class under its journal type; a type is registered once."""

    def register(cls: E) -> E:
        assert type_ not in EVENTS, type_
        cls.TYPE, cls.VERSION, cls.AUDIENCE = type_, version, audience
        EVENTS[type_] = cls
        return cls

    return register


def encode(event: Event) -> bytes:
    """The payload bytes of ``event`` (msgpack map, fields in declared order)."""
    return msgspec.msgpack.encode(event)


def decode(type_: str, version: int, payload: bytes) -> Event:
    """The event of a stored row; lifts old versions step by step."""
    cls = EVENTS[type_]
    if version == cls.VERSION:
        return msgspec.msgpack.decode(payload, type=cls)
    assert version < cls.VERSION, f"{type_} v{version} was written by a newer program"
    members = msgspec.msgpack.decode(payload)
    for step in range(version, cls.VERSION):
        members = UPCASTERS[type_, step](members)
    return msgspec.convert(members, type=cls)
