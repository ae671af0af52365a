"""The parts of a manifest as frozen classes (清单的各部分).

Invariant: attributes have the members' names; hex became bytes, arrays became tuples. They are made
only by ``build``, from JSON that its schema has already let through.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from crypto.schema import Hex, Items, Maybe, Obj, Schema, Tagged


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation: unified social credit code and name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Lot:
    """标段; number 0 is the undivided tender."""

    lot: int
    name: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What a bidder fills in. ``digits`` only for a rate; ``max`` only for days and text."""

    name: str
    type: Literal["money", "rate", "days", "text"]
    label: Label
    decides: bool
    optional: bool
    digits: int = 0
    max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is sealed and opened together. ``trustees``: positions from 1, in header order."""

    envelope: int
    kind: Literal["form", "body"]
    name: str
    log2_chunk: int
    pt_len_max: int
    mode: int
    t: int
    trustees: tuple[int, ...]
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """解密时段: one countdown over the windows of its envelopes."""

    session: int
    envelopes: tuple[int, ...]
    window_ms: int
    reply_ms: int
    early_end: bool
    show_count: bool
    outage: Literal["extend", "keep"]
    outage_ms_max: int
    unattended: bool


@dataclass(frozen=True, slots=True)
class Certification:
    """A certificate chain (DER, leaf first) and its signature over the trustee message."""

    chain: tuple[bytes, ...]
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trustee:
    """持钥人. ``ca`` None: uncertified, the manifest's signatures vouch."""

    role: str
    code: str
    organisation: str
    name: str
    envelopes: tuple[int, ...]
    expiry_ms: int
    xpk: bytes
    spk: bytes
    proof: bytes
    ca: Certification | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Signs acts by office."""

    role: Literal["agency", "purchaser", "supervisor", "host"]
    code: str
    name: str
    pk: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """The site log that this tender is written to."""

    origin: str
    pk: bytes


@dataclass(frozen=True, slots=True)
class Witness:
    """Cosigns checkpoints."""

    name: str
    pk: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """A program that people get elsewhere, by its SHA-256."""

    name: str
    sha256: bytes


def build(schema: Schema, value: Any) -> Any:
    """A checked JSON value as the frozen classes above."""
    match schema:
        case Maybe(inner):
            return None if value is None else build(inner, value)
        case Hex():
            return bytes.fromhex(value)
        case Items(item):
            return tuple(build(item, each) for each in value)
        case Obj() | Tagged():
            chosen = schema if isinstance(schema, Obj) else schema.variants[value[schema.tag]]
            members = {name: build(chosen.members[name][0], each) for name, each in value.items()}
            return _CLASSES[schema.name](**members)
        case _:
            return value


_CLASSES: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (
        *(Party, Lot, Label, Field, Envelope, Session, Certification),
        *(Trustee, Officer, Log, Witness, Program),
    )
}
