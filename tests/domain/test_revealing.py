"""Opening and read-out (开启、唱标): the bytes of frozen.json and readout.json, what follows."""

import json
from typing import Any

import pytest

from crypto.canonical import encode
from crypto.formats import decode_document, encode_document
from crypto.hashes import sha256
from server.domain import commands as cmd
from server.domain import due
from server.domain import opening_events as ev
from server.domain.opening import Stage
from tests.domain.cast import HOST
from tests.domain.forged_headers import another_polynomial
from tests.domain.openings import a_release, an_opening
from tests.domain.play import Play
from tests.domain.refusing import assert_refused
from tests.domain.tender_rules import BODY, FORM, SECOND_FORM


def documents(play: Play) -> tuple[dict[str, Any], dict[str, Any]]:
    (frozen,), (readout,) = play.events(ev.SetFrozen), play.events(ev.PricesReadOut)
    return json.loads(frozen.frozen), json.loads(readout.readout)


def test_the_set_is_frozen_before_any_plaintext_is_shown():
    play = an_opening(at="read_out")
    kinds = [type(one.event) for one in play.journal]
    assert kinds.index(ev.SetFrozen) < kinds.index(ev.PricesReadOut)
    assert kinds.index(ev.AllOpened) < kinds.index(ev.SetFrozen)


@pytest.mark.parametrize("rules", [{}, {"lots": (1, 2)}, {"suite": 0xFF01}, {"mode": 1}])
def test_both_documents_are_canonical_as_the_formats_say(rules: dict[str, Any]):
    play = an_opening(at="read_out", **rules)
    (frozen,), (readout,) = play.events(ev.SetFrozen), play.events(ev.PricesReadOut)
    for name, raw in (("Frozen", frozen.frozen), ("ReadOut", readout.readout)):
        value = decode_document(name, raw)
        assert encode_document(name, value) == raw
        assert encode(value) == raw


def test_every_counting_form_is_frozen_with_its_state_and_the_hash_of_what_it_says():
    play = an_opening(at="read_out")
    frozen, _ = documents(play)
    by_id = {bid.bid_id().hex(): bid for bid in play.bids}
    assert [one["bid_id"] for one in frozen["bids"]] == sorted(by_id)
    for one in frozen["bids"]:
        bid = by_id[one["bid_id"]]
        opened = bid.bidder.number != 3
        assert one["state"] == ("opened" if opened else "locked")
        assert one["form_sha256"] == (sha256(bid.form).hex() if opened else None)


def test_what_is_read_out_is_what_was_written():
    play = an_opening(at="read_out")
    _, readout = documents(play)
    by_id = {bid.bid_id().hex(): bid for bid in play.bids}
    assert len(readout["rows"]) == 2
    for row in readout["rows"]:
        bid = by_id[row.pop("bid_id")]
        assert encode(row) == bid.form
    assert readout["tender_id"] == play.rules.tender_id.hex()


def test_the_big_figures_are_the_deciding_amounts_as_written():
    play = an_opening(at="read_out")
    (shown,) = play.events(ev.PricesReadOut)
    no_of = {bid.bidder_pk: bid.no for bid in play.opening.bids}
    assert shown.amounts == {
        no_of[bid.bidder.key.public]: bid.bidder.price() for bid in play.bids[:2]
    }


def test_a_malformed_form_is_frozen_and_not_read_out():
    play = a_release({}, {"forged": another_polynomial}, {"written": "with one decimal"})
    play.release(1)
    play.release(2)
    play.work()
    play.open_all()
    frozen, readout = documents(play)
    assert play.states() == {1: "opened", 2: "malformed", 3: "malformed"}
    assert {one["form_sha256"] for one in frozen["bids"] if one["state"] == "malformed"} == {None}
    assert [row["bid_id"] for row in readout["rows"]] == [play.bids[0].bid_id().hex()]


def test_nothing_after_the_read_out_changes_a_form():
    play = an_opening(at="read_out")
    states = dict(play.opening.states)
    play.release(3)
    play.work()
    body = play.bids[0].bid_id(BODY)
    play.ask(cmd.ReportBody(envelope=BODY, bid_id=body, state="opened"))
    assert {b: s for b, s in play.opening.states.items() if b != body} == states
    again = cmd.ReportBody(envelope=BODY, bid_id=body, state="malformed")
    assert play.ask(again) == []
    assert (
        play.ask(cmd.ReportBody(envelope=FORM, bid_id=play.bids[2].bid_id(), state="opened")) == []
    )


def test_bodies_are_opened_behind_the_read_out_a_few_at_a_time():
    play = an_opening(bids=12, at="opening", unlocked=11)
    assert due.bodies(play.opening) is None
    play.open_all()
    decided: list[bytes] = []
    while isinstance(found := due.bodies(play.opening), due.OpenBodies):
        assert len(found.bids) <= due.BODIES_AT_ONCE
        for bid in found.bids:
            assert len(bid.shares) == 2
            decided.append(bid.header.bid_id)
            report = cmd.ReportBody(envelope=BODY, bid_id=bid.header.bid_id, state="opened")
            play.ask(report)
    assert sorted(decided) == sorted(bid.bid_id(BODY) for bid in play.bids[:11])
    assert len(play.events(ev.BodyDecided)) == 11


def test_bodies_of_the_first_session_are_opened_behind_the_second():
    play = an_opening(at="read_out", second_session=True)
    play.start(session=2)
    found = due.bodies(play.opening)
    assert found is not None
    assert {bid.header.envelope for bid in found.bids} == {BODY}
    assert all(len(bid.shares) == 2 for bid in found.bids)


def test_a_second_session_is_frozen_and_read_out_in_its_turn():
    play = an_opening(at="read_out", second_session=True)
    first = play.opening.readouts
    play.start(session=2)
    for bid in play.bids[:2]:
        play.unlock(bid)
    play.end_by_time()
    play.checkpoint("window_end")
    for place in (2, 3):
        play.release(place)
    play.work()
    play.open_all()
    assert play.opening.readouts[:1] == first
    assert play.opening.sessions_done == {1, 2}
    assert play.states() == {1: "opened", 2: "opened", 3: "locked"}
    assert play.opening.stage is Stage.READ_OUT
    rows = json.loads(play.opening.readouts[1])["rows"]
    assert {row["bid_id"] for row in rows} == {b.bid_id(SECOND_FORM).hex() for b in play.bids[:2]}
    command = cmd.StartWindow(session=2, reason="重来")
    assert_refused("window.session_done", play, command, HOST)


def test_the_releases_of_the_first_session_are_kept_for_the_bundle():
    play = an_opening(at="read_out", second_session=True)
    play.start(session=2)
    assert play.opening.released(FORM) == [1, 2]
    assert play.opening.released(SECOND_FORM) == []
    assert play.opening.release_bytes == {}


def test_the_voice_goes_from_row_to_row():
    play = an_opening(at="read_out")
    for no in (1, 3, 2):
        play.ask(cmd.ReadRow(no=no), HOST)
        assert play.opening.row == no
    for no in (0, -1, 4, 2**63):
        assert_refused("row.unknown", play, cmd.ReadRow(no=no), HOST)


def test_the_host_closes_the_opening():
    play = an_opening(at="read_out")
    play.ask(cmd.CloseOpening(), HOST)
    assert play.opening.stage is Stage.CLOSED
    assert play.events(ev.OpeningClosed)[0].audience() == "hall"
