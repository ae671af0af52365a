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


# ---- live video

Sdp = Annotated[str, Meta(max_length=1 << 17)]  # media/sdp.py allows half of it
Tab = Annotated[str, Meta(max_length=64)] | None


class CallTo(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a supervisor's call reaches: ``seat``, ``venue`` or ``all``."""

    kind: Annotated[str, Meta(pattern="^(seat|venue|all)$")]
    id: Annotated[str, Meta(max_length=80)] = ""


class PublishAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """``labels``: by mid what each section of the offer is. ``tab``: as in ``told``."""

    offer: Sdp
    labels: Annotated[
        dict[
            Annotated[str, Meta(max_length=64)],
            Annotated[str, Meta(pattern="^(camera|microphone|screen|screen_sound)$")],
        ],
        Meta(max_length=32),
    ]
    to: CallTo | None = None
    tab: Tab = None


class WatchAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """``wanted``: track to its tile's height. ``anew``: by another connection than before.
    ``restart``: by the same one, whose ICE begins anew: an offer in any case.
    """

    wanted: Annotated[
        dict[
            Annotated[str, Meta(pattern="^[1-9][0-9]{0,15}$")],
            Annotated[int, Meta(ge=0, le=8192)],
        ],
        Meta(max_length=256),
    ]
    anew: bool = False
    restart: bool = False
    tab: Tab = None


class AnswerGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """To the latest offer."""

    answer: Sdp
    tab: Tab = None


class OwnMute(Struct, frozen=True, forbid_unknown_fields=True):
    """Of a track of one's own."""

    track: Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]
    muted: bool
    tab: Tab = None


class LiveLeft(Struct, frozen=True, forbid_unknown_fields=True):
    """Goes at once."""

    tab: Tab = None


class LiveDoor(Struct):
    """What somebody may do in a room's video; ``way``: webrtc or fragments, what to try first."""

    member: str
    may: dict[str, Any]
    way: str
    ice_servers: list[dict[str, Any]]
    fragments: dict[str, str] | None
    udp_port: int
    recorded: bool
    venues: list[dict[str, Any]] | None
    names: dict[str, dict[str, str]]


class Published(Struct):
    """The answer, and by mid the numbers of the tracks."""

    answer: str
    tracks: dict[str, int]


class WatchOffered(Struct):
    """None where only tiles have changed."""

    offer: str | None
