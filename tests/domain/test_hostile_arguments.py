"""Whatever comes from outside is done or refused with a code; it never ends in our own mistake.

An ``AssertionError`` here would stop a room, anything else would be a stack trace: both can be had
by one hostile frame, so every command is fed with noise, wrong types, extreme numbers, and lawful
messages with some bytes changed, at every stage.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import Rejected
from server.domain.commands import COMMANDS, Command, parse_command
from server.domain.model import Actor, Role
from server.domain.opening import Stage
from server.domain.refusals import REFUSALS, Refused
from tests.domain.cast import ACTORS, TRUSTEES, Bidder
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.sealed_bids import a_submit
from tests.domain.tender_rules import BODY, FORM

OUTSIDE = sorted(
    (room, op)
    for (room, op), made in COMMANDS.items()
    if not made.SYSTEM and room in ("tender", "opening")
)
PLACES = [str(stage) for stage in Stage] + ["ready"]
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

numbers = st.one_of(
    st.integers(-5, 300),
    st.sampled_from([-(2**63), 2**53, 2**63, 2**64 - 1, 10**30]),
)
noise = st.one_of(st.binary(max_size=300), st.sampled_from([bytes(32), bytes(64), b"\xff" * 32]))
texts = st.one_of(st.text(max_size=40), st.just("x" * 501), st.just("一" * 500))
values = st.one_of(
    numbers,
    noise,
    texts,
    st.none(),
    st.booleans(),
    st.floats(),
    st.lists(st.one_of(noise, numbers), max_size=18),
    st.dictionaries(texts, numbers, max_size=2),
)


def judged(play: Play, room: str, op: str, args: Any, actor: Actor) -> str:
    """What becomes of it: ``done`` or a known code. Raises only when we are wrong."""
    try:
        command = parse_command(room, op, args)
        play.copy().ask(command, actor)
    except Refused as refused:
        return refused.code if refused.code in REFUSALS else f"unknown {refused.code}"
    except Rejected as rejected:
        return rejected.code
    return "done"


def fields_of(room: str, op: str) -> list[str]:
    return [field.name for field in msgspec.structs.fields(COMMANDS[room, op])]


@MANY
@given(data=st.data())
def test_noise_for_arguments(data: st.DataObject):
    room, op = data.draw(st.sampled_from(OUTSIDE))
    names = [*fields_of(room, op), "unknown", ""]
    args = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=5))
    actor = data.draw(st.sampled_from(list(ACTORS.values())))
    play = an_opening(at=data.draw(st.sampled_from(PLACES)))
    assert not judged(play, room, op, args, actor).startswith("unknown")


def plausible(room: str, op: str) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of the right types; their values are whatever."""
    kinds: dict[type, st.SearchStrategy[Any]] = {
        int: numbers,
        bytes: noise,
        str: texts,
        bool: st.booleans(),
    }
    found: dict[str, st.SearchStrategy[Any]] = {}
    for field in msgspec.structs.fields(COMMANDS[room, op]):
        of = msgspec.inspect.type_info(field.type)
        while isinstance(of, msgspec.inspect.Metadata):
            of = of.type
        if isinstance(of, msgspec.inspect.ListType):
            found[field.name] = st.lists(noise, min_size=1, max_size=4)
        else:
            name = {
                msgspec.inspect.IntType: int,
                msgspec.inspect.BytesType: bytes,
                msgspec.inspect.StrType: str,
                msgspec.inspect.BoolType: bool,
            }[type(of)]
            found[field.name] = kinds[name]
    return st.fixed_dictionaries(found)


@pytest.mark.parametrize(("room", "op"), OUTSIDE)
@settings(MANY, max_examples=40)
@given(data=st.data())
def test_any_value_of_the_right_type(room: str, op: str, data: st.DataObject):
    args = data.draw(plausible(room, op))
    actor = data.draw(st.sampled_from([ACTORS[r] for r in (Role.HOST, Role.BIDDER, Role.TRUSTEE)]))
    play = an_opening(at=data.draw(st.sampled_from(PLACES)))
    assert not judged(play, room, op, args, actor).startswith("unknown")


def lawful_messages() -> list[tuple[str, str, Command, Actor]]:
    """(stage, room, command, who): each carries signed bytes and is accepted as it stands."""
    running, released, replying = (an_opening(at=at) for at in ("decryption", "release", "replies"))
    bid = running.bids[0]
    sealed = an_opening(at="sign_in")
    sealed.register(Bidder(1))
    sealed.upload(bid)
    submit = parse_command("tender", "submit", {"message": a_submit(sealed.rules, bid).raw})
    return [
        ("decryption", "opening", running.unlocking(bid), bid.bidder.actor),
        ("decryption", "opening", running.card(bid), ACTORS[Role.VIEWER]),
        ("release", "opening", released.releasing(1), TRUSTEES[0].actor),
        ("replies", "opening", replying.self_releasing(bid), bid.bidder.actor),
        ("sign_in", "tender", submit, bid.bidder.actor),
    ]


MESSAGES = lawful_messages()


@st.composite
def changed(draw: st.DrawFn, raw: bytes) -> bytes:
    """Some bytes changed, cut out, repeated or added."""
    out = bytearray(raw)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(out) - 1)))
        match draw(st.sampled_from(["flip", "set", "cut", "insert", "tail"])):
            case "flip" if out:
                out[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if out:
                out[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
            case "cut":
                del out[at : at + draw(st.integers(1, 64))]
            case "insert":
                out[at:at] = draw(st.binary(min_size=1, max_size=8))
            case _:
                out += draw(st.binary(min_size=1, max_size=70))
    return bytes(out)


@MANY
@given(data=st.data())
def test_a_signed_message_with_some_bytes_changed_does_nothing(data: st.DataObject):
    at, room, command, actor = data.draw(st.sampled_from(MESSAGES))
    args = {name: getattr(command, name) for name in command.__struct_fields__}
    if "messages" in args:
        which = data.draw(st.integers(0, len(args["messages"]) - 1))
        before = args["messages"][which]
        after = data.draw(changed(before))
        args["messages"] = [after if k == which else m for k, m in enumerate(args["messages"])]
    else:
        before, after = args["message"], data.draw(changed(args["message"]))
        args["message"] = after
    play = an_opening(at=at)
    if room == "tender":
        play.register(Bidder(1))
        play.upload(an_opening().bids[0])
    code = judged(play, room, command.OP, args, actor)
    assert not code.startswith("unknown")
    assert (code == "done") == (before == after)


def test_the_lawful_messages_are_lawful():
    for at, room, command, actor in MESSAGES:
        play = an_opening(at=at)
        if room == "tender":
            play.register(Bidder(1))
            play.upload(an_opening().bids[0])
        args = {name: getattr(command, name) for name in command.__struct_fields__}
        assert judged(play, room, command.OP, args, actor) == "done"
    assert {FORM, BODY} == set(an_opening().opening.window.nonces)
