"""The shapes of bodies (数据形状), for decoding what comes in and for describing what goes out.

Invariant: an incoming body is decoded into one of these with no member unknown. Binary values are
lower-case hex texts here, because these are JSON.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

Hex = Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", description="lower-case hex")]
Key = Annotated[str, Meta(min_length=64, max_length=64, description="32 bytes, lower-case hex")]
Sig = Annotated[str, Meta(min_length=128, max_length=128, description="64 bytes, lower-case hex")]
Ms = Annotated[int, Meta(ge=0, le=(1 << 53) - 1, description="UTC milliseconds")]


class Refusal(Struct):
    """Every answer that is not a success."""

    code: str
    retryable: bool
    detail: dict[str, Any]


class Bootstrap(Struct):
    """What a page must know first."""

    ws_port: int | None
    ws_path: str
    edges: list[str]
    origin: str
    demo: bool
    version: str
    site_name: str
    help_phone: str


class ChallengeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose key will answer."""

    public: Key


class ChallengeGiven(Struct):
    """The question."""

    challenge: Key
    expiry_ms: Ms


class LoginAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer: Ed25519 over ``login_message.login_message``."""

    public: Key
    challenge: Key
    expiry_ms: Ms
    signature: Sig


class Me(Struct):
    """Who is logged in; all absent for the public."""

    person: str
    role: str
    org: str
    name: str
    org_name: str


class LoggedIn(Struct):
    """The session itself is in the cookie; a demo also says it, for a tab to show by itself."""

    me: Me
    session: str = ""


class Ticket(Struct):
    """For one WebSocket hello, within 30 s."""

    ticket: str


class TenderRow(Struct):
    """One line of the public board."""

    id: str
    number: str
    title: str
    purchaser: str
    agency: str
    deadline_ms: Ms
    stage: str
    session_end_ms: Ms | None


class Board(Struct):
    """All tenders."""

    tenders: list[TenderRow]


class CommandDone(Struct):
    """What the room answered."""

    result: Any


class EventPage(Struct):
    """Events of one channel in order: [seq, server_ms, type, body, hash]."""

    epoch: int
    server_ms: Ms
    events: list[tuple[int, int, str, dict[str, Any], Hex]]


class EdgeHeads(Struct):
    """Public channels that changed, with their last seq; ``boot`` and ``version`` to ask with."""

    boot: str
    version: int
    epoch: int
    heads: dict[str, int]


class MakeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """``make``: all, matroska."""

    make: str


class EnvelopeStored(Struct):
    """An envelope is durable; it counts only through a SUBMIT."""

    bid_id: Key
