"""Every refusal of the rules (拒绝), each with the shortest story that ends in it.

Here: who may ask, the tender and its bids; `refusal_catalogue_hall` has the opening's.
``SCENARIOS`` maps a code to a function that asks for what is not lawful. `test_refusals` plays them
all and sees to it that no code of the rules is missing here.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from server.domain import commands as cmd
from server.domain import registry
from server.domain.commands import parse_command
from server.domain.model import Role
from tests.domain.cast import HOST, VIEWER, WITNESS, Bidder, box
from tests.domain.journaling import DAY_MS, signed_act
from tests.domain.openings import a_tender, an_opening
from tests.domain.play import Play
from tests.domain.sealed_bids import a_sealed_bid, a_submit
from tests.domain.tender_rules import EXPIRY_MS, signatures_of

SCENARIOS: dict[str, Callable[[], Any]] = {}
BIDDER, OTHER = Bidder(1), Bidder(2)


def ends_in(code: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def named(story: Callable[[], Any]) -> Callable[[], Any]:
        assert code not in SCENARIOS
        SCENARIOS[code] = story
        return story

    return named


def submit_of(play: Play, bidder: Bidder = BIDDER, **changes: Any) -> cmd.SubmitBid:
    """A SUBMIT of the bidder's sealed bid, whatever was uploaded before."""
    bid = a_sealed_bid(play.rules, bidder)
    facts = play.chain(bid) | changes
    return cmd.SubmitBid(message=a_submit(play.rules, bid, **facts).raw)


def one_uploaded(**rules: Any) -> Play:
    """One bidder has registered and uploaded its bid, and submitted nothing."""
    play = a_tender(**rules)
    play.register(BIDDER)
    play.upload(a_sealed_bid(play.rules, BIDDER))
    return play


def deadline_change(play: Play, deadline_ms: int, reason: str = "补遗") -> cmd.ChangeDeadline:
    members = {"old_ms": play.tender.deadline_ms, "deadline_ms": deadline_ms, "reason": reason}
    pks, sigs = signed_act(4, play.rules, members)
    return cmd.ChangeDeadline(deadline_ms=deadline_ms, reason=reason, pks=pks, sigs=sigs)


# ---- who may ask


@ends_in("auth.role")
def _() -> None:
    an_opening().ask(cmd.Pause(reason="停"), WITNESS)


@ends_in("auth.required")
def _() -> None:
    an_opening().ask(cmd.Pause(reason="停"), VIEWER)


@ends_in("command.stage")
def _() -> None:
    an_opening(at="ready").ask(cmd.Pause(reason="停"), HOST)


@ends_in("command.unknown")
def _() -> None:
    parse_command("opening", "report_forms", {"envelope": 1, "forms": []})


@ends_in("command.arguments")
def _() -> None:
    parse_command("opening", "extend", {"extra_ms": "1000", "reason": "延长"})


@ends_in("room.unknown")
def _() -> None:
    play = Play(an_opening().rules)
    play.ask(cmd.UnlockByCard(message=b""), VIEWER)


@ends_in("person.key_taken")
def _() -> None:
    def person(name: str) -> cmd.RegisterPerson:
        facts = {"org": HOST.org, "org_name": "江州建招", "role": Role.HOST, "name": name}
        return cmd.RegisterPerson(person=name, login_pk=bytes(32), **facts)

    ctx = an_opening().context(HOST)
    (event,) = registry.decide(registry.Registry(), person("lin"), ctx)
    taken = registry.evolve(registry.Registry(), event, 0)
    assert registry.decide(taken, person("lin"), ctx) == []
    registry.decide(taken, person("zhou"), ctx)


# ---- the tender


@ends_in("tender.exists")
def _() -> None:
    play = a_tender()
    signatures = signatures_of(play.rules)
    play.ask(cmd.PublishTender(manifest=play.rules.raw, signatures=signatures))


@ends_in("tender.unknown")
def _() -> None:
    play = Play(an_opening().rules)
    play.ask(play.registration(BIDDER), BIDDER.actor)


@ends_in("registration.exists")
def _() -> None:
    play = a_tender()
    play.register(BIDDER)
    other = box("another box")
    play.ask(play.registration(BIDDER, bidder_xpk=other.public), BIDDER.actor)


@ends_in("registration.closed")
def _() -> None:
    play = a_tender()
    at = play.rules.deadline_ms
    play.ask(play.registration(BIDDER), BIDDER.actor, received_ms=at)


@ends_in("registration.not_invited")
def _() -> None:
    play = a_tender(uncertified_allowed=False)
    play.register(BIDDER)


@ends_in("registration.expiry")
def _() -> None:
    play = a_tender()
    play.ask(play.registration(BIDDER, expiry_ms=play.rules.deadline_ms), BIDDER.actor)


@ends_in("registration.key_taken")
def _() -> None:
    play = a_tender()
    play.register(BIDDER)
    keys = {"bidder_pk": BIDDER.key.public, "bidder_xpk": box("another").public}
    play.ask(play.registration(OTHER, **keys), OTHER.actor)


@ends_in("registration.keys")
def _() -> None:
    play = a_tender()
    play.ask(play.registration(BIDDER, bidder_xpk=bytes(32)), BIDDER.actor)


@ends_in("registration.signature")
def _() -> None:
    play = a_tender()
    play.ask(play.registration(BIDDER, sig=bytes(64)), BIDDER.actor)


@ends_in("deadline.trustee_expiry")
def _() -> None:
    play = a_tender()
    play.ask(deadline_change(play, EXPIRY_MS), HOST)


@ends_in("deadline.past")
def _() -> None:
    play = a_tender()
    play.now_ms = play.rules.deadline_ms
    play.ask(deadline_change(play, play.rules.deadline_ms + DAY_MS), HOST)


@ends_in("deadline.not_later")
def _() -> None:
    play = a_tender()
    play.ask(deadline_change(play, play.rules.deadline_ms), HOST)


@ends_in("deadline.signatures")
def _() -> None:
    play = a_tender()
    command = deadline_change(play, play.rules.deadline_ms + DAY_MS)
    play.ask(cmd.ChangeDeadline(**{**_fields(command), "reason": "另一个理由"}), HOST)


# ---- bids


@ends_in("bid.not_registered")
def _() -> None:
    play = a_tender()
    play.ask(submit_of(play), BIDDER.actor)


@ends_in("bid.ad_seen")
def _() -> None:
    play = one_uploaded()
    form = a_sealed_bid(play.rules, BIDDER).envelopes[1]
    play.tender = replace(play.tender, stored={})  # as if another header had this AD
    command = cmd.StoreEnvelope(header=form.header.raw, ct_root=form.header.ct_root)
    play.ask(command, BIDDER.actor)


@ends_in("bid.ct_root")
def _() -> None:
    play = a_tender()
    play.register(BIDDER)
    header = a_sealed_bid(play.rules, BIDDER).envelopes[1].header
    play.ask(cmd.StoreEnvelope(header=header.raw, ct_root=bytes(32)), BIDDER.actor)


@ends_in("bid.late")
def _() -> None:
    play = one_uploaded()
    play.ask(submit_of(play), BIDDER.actor, received_ms=play.rules.deadline_ms)


@ends_in("bid.incomplete")
def _() -> None:
    play = a_tender()
    play.register(BIDDER)
    play.ask(submit_of(play), BIDDER.actor)


@ends_in("bid.not_yours")
def _() -> None:
    play = one_uploaded()
    play.register(OTHER)
    theirs = a_sealed_bid(play.rules, BIDDER).items
    play.ask(submit_of(play, OTHER, items=theirs), OTHER.actor)


@ends_in("submit.signature")
def _() -> None:
    play = one_uploaded()
    raw = submit_of(play).message
    play.ask(cmd.SubmitBid(message=raw[:-1] + bytes([raw[-1] ^ 1])), BIDDER.actor)


@ends_in("submit.seq")
def _() -> None:
    play = one_uploaded()
    play.ask(submit_of(play, seq=2, prev=b"\x01" * 32), BIDDER.actor)


@ends_in("submit.prev")
def _() -> None:
    play = one_uploaded()
    play.ask(submit_of(play), BIDDER.actor)
    play.ask(submit_of(play, prev=b"\x01" * 32), BIDDER.actor)


@ends_in("submit.too_many")
def _() -> None:
    play = one_uploaded(submissions_max=1)
    play.ask(submit_of(play), BIDDER.actor)
    play.ask(submit_of(play), BIDDER.actor)


@ends_in("submit.listed_before")
def _() -> None:
    play = one_uploaded()
    play.ask(submit_of(play), BIDDER.actor)
    play.ask(submit_of(play), BIDDER.actor)


@ends_in("submit.mismatch")
def _() -> None:
    play = one_uploaded()
    play.ask(submit_of(play, lot=7), BIDDER.actor)


@ends_in("submit.envelopes")
def _() -> None:
    play = one_uploaded()
    form_only = [(1, a_sealed_bid(play.rules, BIDDER).bid_id(1))]
    play.ask(submit_of(play, items=form_only), BIDDER.actor)


def _fields(command: cmd.Command) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__}
