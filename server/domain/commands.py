"""Commands (请求): everything that can be asked of a room, by its wire name.

``Command.OP`` is the wire name; the fields are the arguments, strictly typed (an unknown,
missing or wrongly typed argument is ``command.arguments``). What only the server itself may ask
is marked ``system=True`` and has no wire name. Sealing messages travel as the signed bytes they
are; nothing about them is repeated beside.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

from crypto.canonical import INTEGER_MAX
from server.domain.model import Role
from server.domain.opening_events import HalfFound
from server.domain.refusals import Refused

Reason = Annotated[str, msgspec.Meta(max_length=500)]
# A moment stands in canonical JSON and as a u64 in signed bytes, so it is bounded on its way in.
Moment = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
Key = Annotated[bytes, msgspec.Meta(min_length=1, max_length=128)]
Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Messages = Annotated[list[bytes], msgspec.Meta(min_length=1, max_length=16)]
Pks = Annotated[list[bytes], msgspec.Meta(min_length=1, max_length=9)]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request; immutable, already typed, not yet judged."""

    OP: ClassVar[str] = ""
    ROOMS: ClassVar[tuple[str, ...]] = ()  # registry | tender | opening | evaluation
    SYSTEM: ClassVar[bool] = False

    def people(self) -> tuple[str, ...]:
        """Persons whom the rules must know, as the registry does, to judge it."""
        return ()


C = TypeVar("C", bound=type[Command])
COMMANDS: dict[tuple[str, str], type[Command]] = {}


def command(rooms: str | tuple[str, ...], op: str, *, system: bool = False) -> Callable[[C], C]:
    """Registers a command of one kind of room, or of several, under its wire name."""

    def register(cls: C) -> C:
        cls.ROOMS = (rooms,) if isinstance(rooms, str) else rooms
        cls.OP, cls.SYSTEM = op, system
        for room in cls.ROOMS:
            assert (room, op) not in COMMANDS, (room, op)
            COMMANDS[room, op] = cls
        return cls

    return register


def parse_command(room_kind: str, op: str, args: dict[str, Any]) -> Command:
    """The typed command behind a wire request; system commands have no way in from outside."""
    cls = COMMANDS.get((room_kind, op))
    if cls is None or cls.SYSTEM:
        raise Refused("command.unknown", op=op[:64])
    try:
        return msgspec.convert(args, type=cls)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise Refused("command.arguments", op=op, why=str(error)[:200]) from None


class OfficerSigned(Command, frozen=True, kw_only=True):
    """Carries an officer's signature over an act (formats.md §5), made on the officer's device."""

    pk: Key
    sig: Annotated[bytes, msgspec.Meta(min_length=1, max_length=128)]


# ---- registry


@command("registry", "register_person", system=True)
class RegisterPerson(Command, frozen=True, kw_only=True):
    person: str
    org: str
    org_name: str
    role: Role
    name: str
    login_pk: bytes


# ---- tender


@command("tender", "publish", system=True)
class PublishTender(Command, frozen=True, kw_only=True):
    manifest: bytes
    signatures: bytes


@command("tender", "register")
class RegisterBidder(Command, frozen=True, kw_only=True):
    """The bidder's own signature over the bind bytes (C17); the invitation's signature is added
    by the server.
    """

    bidder_pk: Key
    bidder_xpk: Key
    expiry_ms: Moment
    sig: bytes
    invitation_sig: bytes = b""  # filled in by the shell, which holds the host receipt key


@command("tender", "store_envelope", system=True)
class StoreEnvelope(Command, frozen=True, kw_only=True):
    header: bytes
    ct_root: bytes


@command("tender", "submit")
class SubmitBid(Command, frozen=True, kw_only=True):
    """A SUBMIT or WITHDRAW (C9)."""

    message: bytes


@command("tender", "change_deadline")
class ChangeDeadline(Command, frozen=True, kw_only=True):
    deadline_ms: Moment
    reason: Reason
    pks: Pks
    sigs: Pks


@command("tender", "propose_deadline")
class ProposeDeadline(OfficerSigned, frozen=True, kw_only=True):
    """The host's half of ``change_deadline``."""

    deadline_ms: Moment
    reason: Reason


@command("tender", "countersign_deadline")
class CountersignDeadline(OfficerSigned, frozen=True, kw_only=True):
    """The supervisor's half: ``act`` names the proposal that its page has shown."""

    act: Digest


@command("tender", "decline_deadline")
class DeclineDeadline(Command, frozen=True, kw_only=True):
    act: Digest
    reason: Reason


@command("tender", "tick", system=True)
class TenderTick(Command, frozen=True, kw_only=True):
    """A moment has come; ``passed_ms``: a whole pass over the sockets that began after it is
    complete.
    """

    passed_ms: int


@command("tender", "store_checked", system=True)
class ReportStoreCheck(Command, frozen=True, kw_only=True):
    checked: int
    damaged: list[bytes]


# ---- opening


@command("opening", "schedule", system=True)
class ScheduleOpening(Command, frozen=True, kw_only=True):
    manifest: bytes


@command("opening", "sign_in")
class SignIn(Command, frozen=True, kw_only=True):
    pass


@command("opening", "move_deadline", system=True)
class MoveDeadline(Command, frozen=True, kw_only=True):
    deadline_ms: int


@command("opening", "take_closed_list", system=True)
class TakeClosedList(Command, frozen=True, kw_only=True):
    submits: list[bytes]
    headers: list[bytes]
    names: dict[str, str]
    orgs: dict[bytes, str]
    certified: list[str]
    deadline_ms: int
    list_root: bytes


@command("opening", "reach_checkpoint", system=True)
class ReachCheckpoint(Command, frozen=True, kw_only=True):
    of: str
    w: int
    session: int
    checkpoint: str
    fingerprint: str


@command("opening", "start_window")
class StartWindow(Command, frozen=True, kw_only=True):
    """Start the countdown of a session; again, with a reason, is a restart (C1.4)."""

    session: int
    reason: Reason = ""


@command("opening", "pause")
class Pause(Command, frozen=True, kw_only=True):
    reason: Reason


@command("opening", "resume")
class Resume(Command, frozen=True, kw_only=True):
    pass


@command("opening", "extend")
class Extend(Command, frozen=True, kw_only=True):
    extra_ms: int
    reason: Reason


@command("opening", "unlock")
class UnlockBid(Command, frozen=True, kw_only=True):
    """One UNLOCK per envelope of the session (C11): all accepted or none."""

    messages: Messages


@command("opening", "card_unlock")
class UnlockByCard(Command, frozen=True, kw_only=True):
    """Knowledge of s_B is the authorisation; no session is needed (C8)."""

    message: bytes


@command("opening", "report_attempt")
class ReportAttempt(Command, frozen=True, kw_only=True):
    """A key that failed on the device is reported, without any s_B."""

    bid_id: bytes
    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}\.[a-z_]{1,32}\Z")]


@command("opening", "release")
class ReleaseShares(Command, frozen=True, kw_only=True):
    """One RELEASE per envelope of the session: all accepted or none."""

    messages: Messages


@command("opening", "self_release")
class ReleaseSelf(Command, frozen=True, kw_only=True):
    messages: Messages


@command("opening", "declare_trustees_lost")
class DeclareTrusteesLost(Command, frozen=True, kw_only=True):
    reason: Reason
    pks: Pks
    sigs: Pks


@command("opening", "propose_trustees_lost")
class ProposeTrusteesLost(OfficerSigned, frozen=True, kw_only=True):
    """The host's half of ``declare_trustees_lost``."""

    reason: Reason


@command("opening", "propose_ground")
class ProposeGround(OfficerSigned, frozen=True, kw_only=True):
    """Host or supervisor: why a bid did not open. The system's own ground, or another with a
    reason; a second proposal for the same bid takes the place of the first.
    """

    bid_id: Digest
    ground: str
    reason: Reason


@command("opening", "countersign")
class Countersign(OfficerSigned, frozen=True, kw_only=True):
    """The other officer's half: ``act`` names the proposal that its page has shown."""

    act: Digest


@command("opening", "decline_act")
class DeclineAct(Command, frozen=True, kw_only=True):
    """Takes a proposal off the table: the other officer says no, or whoever made it takes it
    back.
    """

    act: Digest
    reason: Reason


@command("opening", "report_repair", system=True)
class ReportRepair(Command, frozen=True, kw_only=True):
    """The host has sent the same ciphertext again; it is durable and gives ``ct_root``."""

    bid_id: bytes
    ct_root: bytes


@command("opening", "end_replies")
class EndReplies(Command, frozen=True, kw_only=True):
    pass


@command("opening", "open_all")
class OpenAll(Command, frozen=True, kw_only=True):
    pass


@command("opening", "read_row")
class ReadRow(Command, frozen=True, kw_only=True):
    no: int


@command("opening", "close_opening")
class CloseOpening(Command, frozen=True, kw_only=True):
    pass


@command("opening", "tick", system=True)
class OpeningTick(Command, frozen=True, kw_only=True):
    passed_ms: int


@command("opening", "resume_after_outage", system=True)
class ResumeAfterOutage(Command, frozen=True, kw_only=True):
    """The first tick after a restart; ``last_alive_ms``: the newest moment the journal proves
    that we ran.
    """

    last_alive_ms: int


class FaultFound(msgspec.Struct, frozen=True, kw_only=True):
    i: int
    bid_id: bytes
    fault: str


@command("opening", "report_halves", system=True)
class ReportHalves(Command, frozen=True, kw_only=True):
    envelope: int
    releases: tuple[int, ...]
    found: list[HalfFound]
    faults: list[FaultFound]
    repairs: int = 0


class FormOpened(msgspec.Struct, frozen=True, kw_only=True):
    """``form`` (unpadded JCS) and ``amount`` (the deciding field as written) where it opened."""

    bid_id: bytes
    state: str
    form: bytes = b""
    amount: str = ""


@command("opening", "report_forms", system=True)
class ReportForms(Command, frozen=True, kw_only=True):
    envelope: int
    forms: list[FormOpened]


@command("opening", "report_body", system=True)
class ReportBody(Command, frozen=True, kw_only=True):
    envelope: int
    bid_id: bytes
    state: str
    releases: tuple[int, ...] = ()
