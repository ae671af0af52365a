"""Who may ask what, at which stage (权限表): one table, checked before any rule looks at the
request.
"""

from server.domain.model import STAFF, Actor, Role
from server.domain.opening import Stage
from server.domain.refusals import Refused

S = Stage
ANY_STAGE = frozenset(Stage)
RUNNING = frozenset({S.ANNOUNCED, S.DECRYPTION, S.RELEASE, S.REPLIES, S.OPENING, S.READ_OUT})
HOST = frozenset({Role.HOST})
BIDDER = frozenset({Role.BIDDER})
EVERYBODY = frozenset(Role)
OFFICERS = frozenset({Role.HOST, Role.SUPERVISOR})  # sign acts together (会签)
SUPERVISOR = frozenset({Role.SUPERVISOR})
RELEASERS = frozenset({Role.TRUSTEE, Role.PURCHASER, Role.SUPERVISOR})

# op -> (roles, stages). Officers other than the host only watch; what needs a second signature
# carries it.
OPENING_TABLE: dict[str, tuple[frozenset[Role], frozenset[Stage]]] = {
    "sign_in": (BIDDER, ANY_STAGE),
    "start_window": (
        HOST,
        frozenset({S.ANNOUNCED, S.DECRYPTION, S.RELEASE, S.REPLIES, S.READ_OUT}),
    ),
    "pause": (HOST, frozenset({S.DECRYPTION})),
    "resume": (HOST, frozenset({S.DECRYPTION})),
    "extend": (HOST, frozenset({S.DECRYPTION})),
    "unlock": (BIDDER, ANY_STAGE),  # outside the window it is refused with evidence (unlocking.py)
    "card_unlock": (EVERYBODY, ANY_STAGE),
    "report_attempt": (BIDDER, RUNNING),
    "release": (RELEASERS, ANY_STAGE),
    "self_release": (BIDDER, ANY_STAGE),
    "declare_trustees_lost": (HOST, frozenset({S.RELEASE})),
    "propose_trustees_lost": (HOST, frozenset({S.RELEASE})),
    "propose_ground": (OFFICERS, RUNNING | {S.CLOSED}),
    "countersign": (OFFICERS, RUNNING | {S.CLOSED}),
    "decline_act": (OFFICERS, RUNNING | {S.CLOSED}),
    "report_repair": (HOST, RUNNING),
    "end_replies": (HOST, frozenset({S.REPLIES})),
    "open_all": (HOST, frozenset({S.OPENING})),
    "read_row": (HOST, frozenset({S.READ_OUT})),
    "close_opening": (HOST, frozenset({S.READ_OUT})),
    # From the list of bidders to the close: before it, who is on stage would tell who bids.
    "put_on_stage": (HOST, RUNNING),
    "take_off_stage": (HOST, RUNNING),
    "hold": (HOST, ANY_STAGE),
    "mute": (HOST, ANY_STAGE),
}

TENDER_TABLE: dict[str, frozenset[Role]] = {
    "register": BIDDER,
    "submit": BIDDER,
    "change_deadline": HOST,
    "propose_deadline": HOST,
    "countersign_deadline": SUPERVISOR,
    "decline_deadline": OFFICERS,
}


def require(room_kind: str, op: str, actor: Actor, stage: Stage | None) -> None:
    """Raises ``auth.role``, ``auth.required`` or ``command.stage``; the system may ask anything.

    ``auth.required``: nobody is logged in. A restart ends sessions, and the client must know that
    logging in again helps.
    """
    if actor.role is Role.SYSTEM:
        return
    not_you = "auth.required" if actor.role is Role.VIEWER else "auth.role"
    if room_kind == "tender":
        if actor.role not in TENDER_TABLE.get(op, frozenset()):
            raise Refused(not_you, op=op)
        return
    roles, stages = OPENING_TABLE.get(op, (frozenset[Role](), frozenset[Stage]()))
    if actor.role not in roles:
        raise Refused(not_you, op=op)
    if stage not in stages:
        raise Refused("command.stage", op=op, stage=str(stage))


def may_subscribe(actor: Actor, room: str, audience: str) -> bool:
    """Who is in which audience: the one table of design.md §3. Of a meeting only its own state
    knows (`evaluation_room_rules.may_hear`).
    """
    if not room.startswith(("opening:", "tender:")):
        return False
    if audience == "hall":
        return True
    if audience == "staff":
        return actor.role in STAFF
    return audience == f"party:{actor.org}" and actor.role is Role.BIDDER
