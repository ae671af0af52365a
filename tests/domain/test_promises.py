"""Which commands earn a signed promise (C14), and what it says. Repeats stand beside each rule."""

import pytest

from crypto.ack import ACK_RELEASE, ACK_SELF_RELEASE, ACK_UNLOCK, RESULT_ACCEPTED
from crypto.hashes import sha256
from server.domain import bidding, due
from server.domain import commands as cmd
from server.domain.commands import Command
from server.domain.promises import promises_of_refusal
from server.domain.refusals import Refused
from tests.domain.cast import HOST, TRUSTEES, Bidder
from tests.domain.openings import an_opening
from tests.domain.play import Play
from tests.domain.tender_rules import sample_rules


def test_a_promise_names_the_message_and_when_it_came():
    play = an_opening()
    command = play.unlocking(play.bids[0])
    promised = play.promised(command, play.bids[0].bidder.actor, received_ms=play.now_ms - 40)
    assert [(p.kind, p.result, p.received_ms, p.signed_ms) for p in promised] == [
        (ACK_UNLOCK, RESULT_ACCEPTED, play.now_ms - 40, play.now_ms)
    ] * 2
    assert [p.digest for p in promised] == [sha256(raw) for raw in command.messages]


def test_each_message_of_a_release_is_promised():
    play = an_opening(at="release")
    command = play.releasing(1)
    promised = play.promised(command, TRUSTEES[0].actor)
    assert [(p.kind, p.digest) for p in promised] == [
        (ACK_RELEASE, sha256(raw)) for raw in command.messages
    ]


def test_a_self_release_is_promised():
    play = an_opening(at="replies")
    bid = play.bids[0]
    command = play.self_releasing(bid)
    (promise,) = play.promised(command, bid.bidder.actor)
    assert (promise.kind, promise.digest) == (ACK_SELF_RELEASE, sha256(command.messages[0]))


@pytest.mark.parametrize(
    "command", [cmd.Pause(reason="停"), cmd.Extend(extra_ms=1000, reason="延")]
)
def test_what_the_host_does_is_journaled_and_not_promised(command: Command):
    assert an_opening().promised(command, HOST) == []


@pytest.mark.parametrize(
    "command",
    [cmd.TenderTick(passed_ms=0), cmd.ReportStoreCheck(checked=0, damaged=[])],
)
def test_in_a_tender_only_a_submit_is_promised(command: Command):
    play = an_opening(at="announced")
    assert bidding.promise_of(command, play.tender, play.context(HOST), 0) == []


def test_a_refusal_without_evidence_promises_nothing():
    ctx = an_opening().context(Bidder(1).actor)
    assert promises_of_refusal(Refused("unlock.window_closed"), ctx) == []
    assert promises_of_refusal(Refused("unlock.nonce"), ctx) == []


def test_a_room_whose_opening_is_not_scheduled_waits_for_nothing():
    play = Play(sample_rules())
    assert due.wake_ms(play.opening) is None
    assert play.ask(cmd.OpeningTick(passed_ms=play.now_ms)) == []
