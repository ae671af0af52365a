"""The tender manifest (招标清单文件): its closed schema, formats §2, and what others ask of it.

Invariant: a `Manifest` exists only if its bytes are canonical and every member keeps its type and
limit; the rules between members are reported one by one by `check_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .bundle import MANIFEST_MAX
from .jcs import read
from .primitives.hashes import blake2b
from .schema import (
    Shape,
    array,
    boolean,
    choice,
    hexadecimal,
    integer,
    member,
    null_or,
    pattern,
    record,
    text,
)

FORM_LENGTH_MAX = 65_536
SUITE = 1  # nacl-1, the one suite of this program
U32_MAX = 2**32 - 1
ROLES = ("agency", "purchaser", "supervisor", "host")

_CODE = pattern("[0-9A-Z]{18}")  # unified social credit code (统一社会信用代码)
_LABEL = record(en=text(1, 200), zh=text(1, 200))
_ORGANISATION = record(code=_CODE, name=text(1, 200))
_FIELD_EXTRAS: dict[str, dict[str, Shape]] = {
    "money": {},
    "rate": {"digits": integer(1, 4)},
    "days": {"max": integer()},
    "text": {"max": integer(1, 2000)},
}


def _field(value: Any, where: str) -> None:
    """One field of a form: name, type, label, whether it decides, and what its type adds."""
    kind = member(value, "type")
    choice(*_FIELD_EXTRAS)(kind, f"{where}.type")
    record(
        name=pattern("[a-z][a-z0-9_]{0,31}"),
        type=choice(kind),
        label=_LABEL,
        decides=boolean,
        optional=boolean,
        **_FIELD_EXTRAS[kind],
    )(value, where)


def _envelope(value: Any, where: str) -> None:
    """One envelope; only forms have fields."""
    is_form = member(value, "kind") == "form"
    fields: dict[str, Shape] = {"fields": array(_field, 1, 64)} if is_form else {}
    record(
        envelope=integer(1, U32_MAX),
        kind=choice("form", "body"),
        name=text(1, 200),
        log2_chunk=integer(16, 20),
        pt_len_max=integer(1),
        mode=choice(0, 1),
        t=integer(1, 9),
        trustees=array(integer(1, 144), 1, 9),
        **fields,
    )(value, where)


_SESSION = record(
    session=integer(1, U32_MAX),
    envelopes=array(integer(1, U32_MAX), 1, 16),
    window_ms=integer(1),
    reply_ms=integer(),
    early_end=boolean,
    show_count=boolean,
    outage=choice("extend", "keep"),
    outage_ms_max=integer(),
    unattended=boolean,
)
_TRUSTEE = record(
    role=text(1, 64),
    code=_CODE,
    organisation=text(1, 200),
    name=text(1, 200),
    envelopes=array(integer(1, U32_MAX), 1, 16),
    expiry_ms=integer(),
    xpk=hexadecimal(32),
    spk=hexadecimal(32),
    proof=hexadecimal(64),
    ca=null_or(record(chain=array(pattern("([0-9a-f]{2}){1,8192}"), 1, 8), sig=hexadecimal(64))),
)
SHAPE = record(
    format=choice(1),
    suite=choice(SUITE),
    demo=boolean,
    parent=null_or(hexadecimal(32)),
    number=text(1, 64),
    title=text(1, 200),
    purchaser=_ORGANISATION,
    agency=_ORGANISATION,
    deadline_ms=integer(),
    template=pattern("[a-z0-9.-]{1,64}"),
    min_bidders=integer(1, 1000),
    submissions_max=integer(1, 100),
    uncertified_allowed=boolean,
    names_masked=boolean,
    traces=boolean,
    lots=array(record(lot=integer(0, U32_MAX), name=text(1, 200)), 1, 200),
    envelopes=array(_envelope, 1, 16),
    sessions=array(_SESSION, 1, 8),
    trustees=array(_TRUSTEE, 1, 144),
    officers=array(
        record(
            role=choice(*ROLES),
            code=_CODE,
            name=text(1, 200),
            pk=hexadecimal(32),
        ),
        3,
        64,
    ),
    host_receipt_pk=hexadecimal(32),
    log=record(origin=pattern("[!-*,-~]{1,200}"), pk=hexadecimal(32)),
    witnesses=array(record(name=pattern("[!-*,-~]{1,200}"), pk=hexadecimal(32)), 0, 9),
    quorum=integer(0, 9),
    closing_bound_ms=integer(),
    programs=array(record(name=text(1, 64), sha256=hexadecimal(32)), 0, 16),
    draws=array(choice(), 0, 0),
)


@dataclass(frozen=True)
class Manifest:
    """The manifest's bytes and its checked value, read by the member names of formats §2."""

    raw: bytes
    value: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.value[name]

    @property
    def tender_id(self) -> bytes:
        """BLAKE2b-256 of the manifest's bytes: the tender's only name."""
        return blake2b(self.raw)

    def envelope(self, number: int) -> dict[str, Any] | None:
        """The envelope of that number, or None."""
        return next((one for one in self["envelopes"] if one["envelope"] == number), None)

    def is_form(self, number: int) -> bool:
        """Whether the envelope of that number is a form (开标一览表)."""
        envelope = self.envelope(number)
        return envelope is not None and envelope["kind"] == "form"

    def session(self, number: int) -> dict[str, Any] | None:
        """The session of that number, or None."""
        return next((one for one in self["sessions"] if one["session"] == number), None)

    def trustees(self, envelope: dict[str, Any]) -> list[dict[str, Any]]:
        """The trustees of an envelope, in header order; positions are checked to exist."""
        return [self["trustees"][position - 1] for position in envelope["trustees"]]

    def officer_keys(self, *roles: str) -> frozenset[bytes]:
        """The officers' keys of these roles."""
        return frozenset(
            bytes.fromhex(one["pk"]) for one in self["officers"] if one["role"] in roles
        )


def read_manifest(raw: bytes) -> Manifest:
    """Parse manifest.json; raises NotCanonical or WrongShape."""
    value: Any = read(raw, size_max=MANIFEST_MAX)
    choice(SUITE)(member(value, "suite"), "suite")  # First: all that follows depends on it.
    SHAPE(value, "")
    positions = range(1, len(value["trustees"]) + 1)
    for place, envelope in enumerate(value["envelopes"]):
        inside = array(integer(1, positions[-1]), 1, 9)
        inside(envelope["trustees"], f"envelopes[{place}].trustees")
    return Manifest(raw, value)
