"""Who may ask what, and when (权限表): the whole table, written out a second time.

Every command is asked by every role at every stage: what the table forbids is refused with the
table's own code before any rule looks at the request, and what it allows never ends in our mistake.
"""

from typing import Any

import pytest

from crypto.errors import Rejected
from server.domain.commands import COMMANDS, Command, parse_command
from server.domain.model import STAFF, SYSTEM, Actor, Role
from server.domain.opening import Stage
from server.domain.refusals import REFUSALS, Refused
from server.domain.roles import may_subscribe
from tests.domain.cast import ACTORS, Bidder
from tests.domain.openings import an_opening
from tests.domain.play import Play

# A stage stands under its first letters, in the order of the hall.
STAGES = {
    "sc": Stage.SCHEDULED,
    "si": Stage.SIGN_IN,
    "an": Stage.ANNOUNCED,
    "de": Stage.DECRYPTION,
    "rl": Stage.RELEASE,
    "rp": Stage.REPLIES,
    "op": Stage.OPENING,
    "ro": Stage.READ_OUT,
    "cl": Stage.CLOSED,
    "fa": Stage.FAILED,
}
ALL = "sc si an de rl rp op ro cl fa"
TABLE = {
    # op                    who                            when
    "sign_in": ("bidder", ALL),
    "start_window": ("host", "an de rl rp ro"),
    "pause": ("host", "de"),
    "resume": ("host", "de"),
    "extend": ("host", "de"),
    "unlock": ("bidder", ALL),
    "card_unlock": ("host supervisor purchaser trustee witness bidder expert viewer", ALL),
    "report_attempt": ("bidder", "an de rl rp op ro"),
    "release": ("trustee purchaser supervisor", ALL),
    "self_release": ("bidder", ALL),
    "declare_trustees_lost": ("host", "rl"),
    "propose_trustees_lost": ("host", "rl"),
    "propose_ground": ("host supervisor", "an de rl rp op ro cl"),
    "countersign": ("host supervisor", "an de rl rp op ro cl"),
    "decline_act": ("host supervisor", "an de rl rp op ro cl"),
    "end_replies": ("host", "rp"),
    "open_all": ("host", "op"),
    "read_row": ("host", "ro"),
    "close_opening": ("host", "ro"),
    "put_on_stage": ("host", "an de rl rp op ro"),
    "take_off_stage": ("host", "an de rl rp op ro"),
    "hold": ("host", ALL),
    "mute": ("host", ALL),
}
PERSONS = [role for role in Role if role is not Role.SYSTEM]


def commands_at(play: Play) -> dict[str, Command]:
    """A command of each kind; lawful where its stage is, well formed everywhere."""
    window = an_opening()
    bid = window.bids[0]
    half = {"pk": bytes(32), "sig": bytes(64)}
    args: dict[str, dict[str, Any]] = {
        "start_window": {"session": 1, "reason": "重来"},
        "pause": {"reason": "停"},
        "extend": {"extra_ms": 60_000, "reason": "延长"},
        "unlock": {"messages": window.unlock_messages(bid)},
        "card_unlock": {"message": window.card(bid).message},
        "report_attempt": {"bid_id": bid.bid_id(), "code": "unlock.key_mismatch"},
        "release": {"messages": an_opening(at="release").releasing(1).messages},
        "self_release": {"messages": an_opening(at="replies").self_releasing(bid).messages},
        "declare_trustees_lost": {"reason": "失联", "pks": [bytes(32)], "sigs": [bytes(64)]},
        "propose_trustees_lost": {"reason": "失联", **half},
        "propose_ground": {"bid_id": bytes(32), "ground": "excused", "reason": "断网", **half},
        "countersign": {"act": bytes(32), **half},
        "decline_act": {"act": bytes(32), "reason": "不同意"},
        "read_row": {"no": 1},
        "put_on_stage": {"person": "bidder-1", "reason": "提出异议"},
        "take_off_stage": {"person": "bidder-1"},
        "hold": {"person": "host", "held": True},
        "mute": {"person": "camera:door", "label": "camera", "muted": True},
    }
    return {op: parse_command("opening", op, args.get(op, {})) for op in TABLE}


def test_the_table_knows_every_command_from_outside():
    outside = {op for (room, op), made in COMMANDS.items() if room == "opening" and not made.SYSTEM}
    assert outside == TABLE.keys()
    assert set(STAGES.values()) == set(Stage)


@pytest.mark.parametrize("role", PERSONS)
@pytest.mark.parametrize("stage", Stage)
def test_what_a_role_may_ask_at_a_stage(stage: Stage, role: Role):
    at = "ready" if stage is Stage.ANNOUNCED else str(stage)
    asked = an_opening(at=at)
    assert asked.opening.stage is stage
    for op, command in commands_at(asked).items():
        roles, stages = TABLE[op]
        code = outcome(asked.copy(), command, ACTORS[role])
        if str(role) not in roles.split():
            assert code == ("auth.required" if role is Role.VIEWER else "auth.role"), op
        elif stage not in {STAGES[name] for name in stages.split()}:
            assert code == "command.stage", op
        else:
            assert code not in ("auth.required", "auth.role", "command.stage"), op
            assert code == "done" or code in REFUSALS or "." in code, op


def outcome(play: Play, command: Command, actor: Actor) -> str:
    """``done``, or the code of the refusal. Anything else is our mistake and fails the test."""
    try:
        play.ask(command, actor)
    except (Refused, Rejected) as refusal:
        return refusal.code
    return "done"


@pytest.mark.parametrize(
    ("op", "at", "who"),
    [
        ("sign_in", "sign_in", Role.BIDDER),
        ("start_window", "ready", Role.HOST),
        ("pause", "decryption", Role.HOST),
        ("extend", "decryption", Role.HOST),
        ("unlock", "decryption", Role.BIDDER),
        ("card_unlock", "decryption", Role.VIEWER),
        ("report_attempt", "decryption", Role.BIDDER),
        ("release", "release", Role.TRUSTEE),
        ("self_release", "replies", Role.BIDDER),
        ("end_replies", "replies", Role.HOST),
        ("open_all", "opening", Role.HOST),
        ("read_row", "read_out", Role.HOST),
        ("close_opening", "read_out", Role.HOST),
        ("put_on_stage", "ready", Role.HOST),
        ("take_off_stage", "read_out", Role.HOST),
        ("hold", "scheduled", Role.HOST),
        ("mute", "closed", Role.HOST),
    ],
)
def test_the_one_whose_turn_it_is_succeeds(op: str, at: str, who: Role):
    play = an_opening(at=at)
    if op == "start_window":
        play.start()
        return
    assert outcome(play, commands_at(play)[op], ACTORS[who]) == "done"


def test_commands_of_the_server_itself_have_no_way_in():
    for (room, op), made in COMMANDS.items():
        if made.SYSTEM:
            with pytest.raises(Refused, match=r"command\.unknown"):
                parse_command(room, op, {})


@pytest.mark.parametrize("role", PERSONS)
@pytest.mark.parametrize(
    ("op", "who", "args"),
    [
        (
            "register",
            Role.BIDDER,
            {"bidder_pk": b"1", "bidder_xpk": b"2", "expiry_ms": 1, "sig": b""},
        ),
        ("submit", Role.BIDDER, {"message": b""}),
        (
            "change_deadline",
            Role.HOST,
            {"deadline_ms": 1, "reason": "r", "pks": [b""], "sigs": [b""]},
        ),
        (
            "propose_deadline",
            Role.HOST,
            {"deadline_ms": 1, "reason": "r", "pk": b"1", "sig": b"2"},
        ),
        ("countersign_deadline", Role.SUPERVISOR, {"act": bytes(32), "pk": b"1", "sig": b"2"}),
    ],
)
def test_what_a_role_may_ask_of_a_tender(op: str, who: Role, args: dict[str, Any], role: Role):
    play = an_opening(at="scheduled")
    code = outcome(play, parse_command("tender", op, args), ACTORS[role])
    if role is who:
        assert code not in ("auth.required", "auth.role")
    else:
        assert code == ("auth.required" if role is Role.VIEWER else "auth.role")


SUBSCRIPTIONS = {
    # audience        opening:x                         tender:x       registry
    "hall": (set(Role), set(Role), set()),
    "staff": (set(STAFF), set(STAFF), set()),
    "party": ({Role.BIDDER}, {Role.BIDDER}, set()),
    "sealed": (set(), set(), set()),
    "": (set(), set(), set()),
}


@pytest.mark.parametrize("role", PERSONS)
@pytest.mark.parametrize("audience", SUBSCRIPTIONS)
def test_who_hears_what(audience: str, role: Role):
    actor = ACTORS[role]
    channel = f"party:{actor.org}" if audience == "party" else audience
    rooms = ("opening:jz-0417", "tender:jz-0417", "registry")
    for room, allowed in zip(rooms, SUBSCRIPTIONS[audience], strict=True):
        assert may_subscribe(actor, room, channel) == (role in allowed), room


def test_a_bidder_hears_its_own_party_only():
    own, other = Bidder(1), Bidder(2)
    assert may_subscribe(own.actor, "opening:jz-0417", f"party:{own.org}")
    assert not may_subscribe(own.actor, "opening:jz-0417", f"party:{other.org}")
    assert not may_subscribe(Actor("x", Role.BIDDER, ""), "opening:jz-0417", "party:x")


def test_the_system_may_ask_anything_of_any_stage():
    for stage in ("scheduled", "decryption", "closed"):
        play = an_opening(at=stage)
        for command in commands_at(play).values():
            assert outcome(play.copy(), command, SYSTEM) not in ("auth.role", "command.stage")
