"""What bids, draws and printed derivations may not say: refused by code, with the place."""

import json
from typing import Any

import pytest

from server.domain.evaluation.methods import (
    Derivation,
    Misplaced,
    bids_of,
    draws_of,
    evaluate,
    example_of,
    parse_bids,
    parse_draws,
    read_derivation,
    replay,
)
from server.domain.evaluation.methods import bids as reading_bids
from server.domain.evaluation.methods.steps.step import BIDS_MAX
from tests.domain.evaluation.documents import (
    HALF_UP_2,
    TEXT,
    delivered,
    evaluated,
    method,
    money,
    number,
    priced,
    rank,
    raw,
    refused,
    step,
)

FIELDS = {
    "price": money(min="10000.00", max="99999999.99"),
    "credit": number("-5", "10", 2),
    "grade": {"type": "choice", "name": TEXT, "words": ["AA", "甲级"]},
    "small": {"type": "flag", "name": TEXT},
    "marks": {
        "type": "scores",
        "name": TEXT,
        "experts": {"min": 2, "max": 3},
        "digits": 1,
        "criteria": [{"id": "plan", "name": TEXT, "full": "20"}],
    },
}
METHOD = method(
    step("B", "formula", value="ceiling * K", round=HALF_UP_2),
    rank("bids", {"lowest": "price"}, {"drawn": "lots"}),
    given={"ceiling": money(), "months": number("1", "60", 0)},
    fields=FIELDS,
    draws={
        "K": {"type": "one", "name": TEXT, "label": "k", "of": ["0.95", "0.96"]},
        "lots": {"type": "order", "name": TEXT, "label": "lots"},
    },
)


def bid(bid_id: str = "1", **members: Any) -> dict[str, Any]:
    whole = {"id": bid_id, "price": "20000.00", "credit": "1.5", "grade": "甲级", "small": True}
    return whole | {"marks": {"plan": ["18.0", "17.5"]}} | members


GIVEN = {"ceiling": "30000.00", "months": "12"}


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: found for key, found in value.items() if key != name}


BIDS: dict[str, tuple[Any, str, str]] = {
    "a list": ([], "type", ""),
    "no bids": ({"given": GIVEN}, "missing", "bids"),
    "nothing given": ({"bids": []}, "missing", "given"),
    "a number that is not given": (
        {"given": without(GIVEN, "months"), "bids": []},
        "missing",
        "given.months",
    ),
    "too much given": ({"given": GIVEN | {"x": "1"}, "bids": []}, "unknown_member", "given.x"),
    "decimals where there are none": (
        {"given": GIVEN | {"months": "1.5"}, "bids": []},
        "number",
        "given.months",
    ),
    "a bid that is no object": ({"given": GIVEN, "bids": ["1"]}, "type", "bids[0]"),
}
ROWS: dict[str, tuple[list[Any], str, str]] = {
    "a bidder twice": ([bid("1"), bid("2"), bid("1")], "twice", "bids[2].id"),
    "an id that is a number": ([bid() | {"id": 1}], "type", "bids[0].id"),
    "an empty id": ([bid("")], "text", "bids[0].id"),
    "a hidden character in an id": ([bid("1\u200b")], "text", "bids[0].id"),
    "a hidden character in a name": ([bid(name="甲\u202e公司")], "text", "bids[0].name"),
    "a missing field": ([without(bid(), "credit")], "missing", "bids[0].credit"),
    "a field of no method": ([bid(extra="1")], "unknown_member", "bids[0].extra"),
    "yuan in the unit of ten thousand": ([bid(price="2.00")], "range", "bids[0].price"),
    "fen in the unit of yuan": ([bid(price="2000000000.00")], "range", "bids[0].price"),
    "a price of one decimal": ([bid(price="20000.0")], "number", "bids[0].price"),
    "a price of three decimals": ([bid(price="20000.000")], "number", "bids[0].price"),
    "a price with a comma": ([bid(price="20,000.00")], "number", "bids[0].price"),
    "a price with a blank": ([bid(price=" 20000.00")], "number", "bids[0].price"),
    "a price in full-width digits": ([bid(price="２００００.00")], "number", "bids[0].price"),
    "a price with a hidden character": ([bid(price="20000.00\u200b")], "number", "bids[0].price"),
    "a price below zero": ([bid(price="-20000.00")], "number", "bids[0].price"),
    "an empty price": ([bid(price="")], "number", "bids[0].price"),
    "no price": ([bid(price=None)], "type", "bids[0].price"),
    "a price with a unit": ([bid(price="2万元")], "number", "bids[0].price"),
    "a price in scientific form": ([bid(price="2e4")], "number", "bids[0].price"),
    "a price of a million digits": ([bid(price="9" * 1_000_000)], "number", "bids[0].price"),
    "a credit above its most": ([bid(credit="10.01")], "range", "bids[0].credit"),
    "a credit of too many decimals": ([bid(credit="1.001")], "number", "bids[0].credit"),
    "a credit like -0": ([bid(credit="-0.00")], "number", "bids[0].credit"),
    "a grade of no kind": ([bid(grade="A")], "choice", "bids[0].grade"),
    "a grade that is no text": ([bid(grade=["AA"])], "type", "bids[0].grade"),
    "a flag that is a word": ([bid(small="yes")], "type", "bids[0].small"),
    "a flag that is a number": ([bid(small=1)], "type", "bids[0].small"),
    "no marks": ([bid(marks={})], "missing", "bids[0].marks.plan"),
    "marks of nothing": (
        [bid(marks={"plan": ["1", "2"], "x": []})],
        "unknown_member",
        "bids[0].marks.x",
    ),
    "marks that are no list": ([bid(marks={"plan": "18"})], "type", "bids[0].marks.plan"),
    "a mark that is a number": ([bid(marks={"plan": ["1", 2]})], "type", "bids[0].marks.plan[1]"),
    "a mark that is a list": ([bid(marks={"plan": ["1", []]})], "type", "bids[0].marks.plan[1]"),
    "one expert too few": ([bid(marks={"plan": ["1"]})], "size", "bids[0].marks.plan"),
    "other experts for another bid": (
        [bid("1"), bid("2", marks={"plan": ["1", "2", "3"]})],
        "size",
        "bids[1].marks.plan",
    ),
    "a mark above the full marks": (
        [bid(marks={"plan": ["1", "20.1"]})],
        "range",
        "bids[0].marks.plan[1]",
    ),
    "a mark below zero": ([bid(marks={"plan": ["-1", "1"]})], "range", "bids[0].marks.plan[0]"),
    "a mark of two decimals": (
        [bid(marks={"plan": ["1.25", "1"]})],
        "number",
        "bids[0].marks.plan[0]",
    ),
}


@pytest.mark.parametrize("name", BIDS | ROWS)
def test_bids_are_refused_with_code_and_place(name: str):
    if name in BIDS:
        value, reason, place = BIDS[name]
    else:
        rows, reason, place = ROWS[name]
        value = {"given": GIVEN, "bids": rows}
    with pytest.raises(Misplaced) as found:
        parse_bids(METHOD, raw(value))
    assert refused(found.value) == (f"bids.{reason}", place)


def test_more_bids_than_there_can_be_are_refused_before_they_are_read():
    with pytest.raises(Misplaced) as found:
        bids_of(METHOD, {"given": GIVEN, "bids": [0] * (BIDS_MAX + 1)})
    assert refused(found.value) == ("bids.size", "bids")


def test_more_work_than_is_bearable_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading_bids, "WORK_MAX", 2 * METHOD.work)
    bids_of(METHOD, {"given": GIVEN, "bids": [bid("1"), bid("2")]})
    with pytest.raises(Misplaced) as found:
        bids_of(METHOD, {"given": GIVEN, "bids": [bid("1"), bid("2"), bid("3")]})
    assert refused(found.value) == ("bids.size", "bids")


DRAWS: dict[str, tuple[Any, str, str]] = {
    "a draw that was not made": ({"lots": ["1", "2"]}, "missing", "k"),
    "a draw by its name": ({"K": "0.95", "lots": ["1", "2"]}, "unknown_member", "K"),
    "a value that could not be drawn": ({"k": "0.951", "lots": ["1", "2"]}, "choice", "k"),
    "a value that is a float": ({"k": 0.95, "lots": ["1", "2"]}, "number", "k"),
    "an order of too few": ({"k": "0.95", "lots": ["1"]}, "size", "lots"),
    "an order of one twice": ({"k": "0.95", "lots": ["1", "1"]}, "choice", "lots"),
    "an order of somebody else": ({"k": "0.95", "lots": ["1", "3"]}, "choice", "lots"),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_refused_with_code_and_place(name: str):
    value, reason, place = DRAWS[name]
    bids = bids_of(METHOD, {"given": GIVEN, "bids": [bid("1"), bid("2")]})
    with pytest.raises(Misplaced) as found:
        parse_draws(METHOD, bids, raw(value))
    assert refused(found.value) == (f"draws.{reason}", place)


def test_bids_are_in_the_order_of_their_numbers_whatever_they_are_called():
    ids = ["10", "甲", "9", "A-1", "010"]
    bids = bids_of(METHOD, {"given": GIVEN, "bids": [bid(one) for one in ids]})
    assert bids.ids == ("9", "010", "10", "A-1", "甲")


def test_values_have_one_spelling_however_they_were_written():
    bids = bids_of(METHOD, {"given": GIVEN, "bids": [bid("10"), bid("9", credit="1.50")]})
    draws = draws_of(METHOD, bids, {"k": "95%", "lots": ["10", "9"]})
    assert draws.document == {"k": "0.95", "lots": ["10", "9"]}
    assert bids.ids == ("9", "10")
    assert isinstance(bids.document, dict)
    assert json.dumps(bids.document["bids"]).count('"1.50"') == 2
    assert draws.orders["lots"] == (1, 0)


# ---- printed derivations


def a_derivation() -> Derivation:
    method_found = delivered("building-comprehensive")
    inputs = example_of(method_found)
    assert inputs is not None
    return evaluate(method_found, *inputs)


PRINTED = a_derivation().to_json()
CHANGES: dict[str, tuple[bytes, bytes, str, str]] = {
    "a benchmark": (
        b'"value":"97833333.33"',
        b'"value":"97833333.34"',
        "derivation.differs",
        "steps[2]",
    ),
    "a place": (b'[[1,"1"],[2,"4"]', b'[[1,"4"],[2,"1"]', "derivation.differs", "results"),
    "a clause of a step": (
        b'"en":"2.1 price not',
        b'"en":"2.9 price not',
        "derivation.differs",
        "method_sha256",
    ),
    "the digest": (
        b'"method_sha256":"',
        b'"method_sha256":"0',
        "derivation.differs",
        "method_sha256",
    ),
    "the version": (
        b'"kaibiao_derivation":1',
        b'"kaibiao_derivation":2',
        "derivation.range",
        "kaibiao_derivation",
    ),
    "a blank": (b'{"bids"', b'{ "bids"', "derivation.differs", "(spelling)"),
    "a price": (b'"price":"98000000.00"', b'"price":"98000000.0"', "bids.number", "bids[0].price"),
    "a float": (b'"in":["1"', b'"in":[0.5', "derivation.number", "steps[0].output.in[0]"),
    "a member": (b'"results":', b'"result":', "derivation.unknown_member", "result"),
    "a result": (b'"outcome":"ranked"', b'"outcome":"ended"', "derivation.differs", "results"),
    "a draw": (b'"draws":{}', b'"draws":{"k":"1"}', "draws.unknown_member", "k"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_derivation_is_refused_and_the_first_difference_named(name: str):
    old, new, code, place = CHANGES[name]
    assert old in PRINTED
    with pytest.raises(Misplaced) as found:
        replay(PRINTED.replace(old, new, 1))
    assert refused(found.value) == (code, place)


def test_a_derivation_without_its_last_step_is_refused():
    value = json.loads(PRINTED)
    del value["steps"][-1]
    with pytest.raises(Misplaced) as found:
        replay(raw(value))
    assert refused(found.value) == ("derivation.differs", "steps[7]")


def test_a_price_that_was_changed_everywhere_still_does_not_follow():
    forged = PRINTED.replace(b'"98000000.00"', b'"98000000.01"')
    with pytest.raises(Misplaced) as found:
        replay(forged)
    assert refused(found.value)[0] in {"derivation.differs", "method.example"}


def test_what_was_read_again_is_what_was_printed():
    again = read_derivation(PRINTED)
    assert again.to_json() == PRINTED
    assert again.results == a_derivation().results


def test_asking_a_step_for_what_it_does_not_give_is_an_error_of_ours():
    derivation = a_derivation()
    for ask, step_id in (
        (derivation.value, "S"),
        (derivation.column, "B"),
        (derivation.members, "B"),
        (derivation.value, "nothing"),
    ):
        with pytest.raises(KeyError):
            ask(step_id)


def test_a_bid_that_was_left_out_has_no_place():
    derivation = evaluated(
        method(step("valid", "keep", from_="bids", where="price > 1.5"), rank("valid")),
        priced("1.00", "2.00"),
    )
    assert derivation.results.place("1") is None
    assert derivation.results.place("2") == 1
    assert derivation.results.left_out == {"1": "valid"}
