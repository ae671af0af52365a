"""Sensitivity, simulation and comparison: every case is evaluated by the engine itself."""

import json
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.text import money_text, parse_money
from server.domain.evaluation import simulation, trials
from server.domain.evaluation.comparison import compare
from server.domain.evaluation.methods import (
    Bids,
    Derivation,
    Draws,
    Method,
    Misplaced,
    bids_of,
    draws_of,
    evaluate,
    example_of,
    needed_draws,
    parse_method,
)
from server.domain.evaluation.sensitivity import sensitivity, trial_count
from server.domain.evaluation.simulation import Outlook, Question, price_range, simulate

DELIVERED = resources.files("server.domain.evaluation.methods") / "delivered"
NAMES = sorted(f.name[:-5] for f in DELIVERED.iterdir() if f.name.endswith(".json"))
BUILDING = "building-comprehensive"
DRAWN = "low-price-mean-k"

WITH_ORDER: dict[str, Any] = {
    "kaibiao_method": 1,
    "id": "test.order",
    "version": 1,
    "name": {"zh": "抽签定序", "en": "Order by lot"},
    "status": "unconfirmed",
    "source": [{"zh": "测试", "en": "test"}],
    "fields": {"price": {"type": "money", "name": {"zh": "报价", "en": "price"}}},
    "draws": {
        "line": {"type": "order", "name": {"zh": "顺序", "en": "order"}, "label": "test.line"}
    },
    "steps": [
        {
            "id": "rank",
            "do": "rank",
            "name": {"zh": "排序", "en": "ranking"},
            "clause": {"zh": "1", "en": "1"},
            "of": "bids",
            "by": [{"lowest": "price"}, {"drawn": "line"}],
            "ties": "shared",
            "candidates": 1,
        }
    ],
}


def method_of(name: str) -> Method:
    return parse_method((DELIVERED / f"{name}.json").read_bytes())


def example(name: str) -> tuple[Method, Bids, Draws]:
    method = method_of(name)
    found = example_of(method)
    assert found is not None
    return method, *found


def example_bids(method: Method) -> dict[str, Any]:
    found = example_of(method)
    assert found is not None
    document: Any = found[0].document
    return document


# ---- sensitivity


@pytest.mark.parametrize("name", NAMES)
def test_leaving_a_bid_out_is_evaluating_without_it(name: str) -> None:
    method, bids, draws = example(name)
    found = sensitivity(method, bids, draws)
    document: Any = bids.document
    assert list(found.without) == list(bids.ids)
    for bid, outcome in found.without.items():
        rows = [row for row in document["bids"] if row["id"] != bid]
        left = bids_of(method, {"given": document["given"], "bids": rows})
        again = evaluate(method, left, trials.draws_with(method, left, draws, {}))
        assert outcome.first == first_of(again)
    assert found.actual.first == first_of(evaluate(method, bids, draws))
    assert found.next == {bid: found.without[bid].first for bid in found.actual.first}
    assert all(found.without[bid].first != found.actual.first for bid in found.deciding)
    assert not {*found.actual.first} & {*found.deciding}


def first_of(derivation: Derivation) -> tuple[str, ...]:
    return tuple(bid for place, bid in derivation.results.ranking if place == 1)


def test_a_shared_first_place_is_shared_in_every_case() -> None:
    method = method_of(BUILDING)
    document = json.loads(json.dumps(example_bids(method)))
    document["bids"][1] |= {k: v for k, v in document["bids"][0].items() if k != "id"}
    bids = bids_of(method, document)
    found = sensitivity(method, bids, draws_of(method, bids, {}))
    assert found.actual.first == ("1", "2")
    assert found.next == {bid: found.without[bid].first for bid in ("1", "2")}
    assert found.next["1"] != found.actual.first


def test_the_bids_that_decide_a_building_tender_are_named() -> None:
    found = sensitivity(*example(BUILDING))
    assert (found.actual.first, found.next) == (("1",), {"1": ("4",)})
    assert found.deciding == ("3", "5")
    assert found.without["2"].benchmark == "98500000.00"


def test_each_coefficient_is_drawn_anew_and_every_combination_counted() -> None:
    method, bids, draws = example(DRAWN)
    found = sensitivity(method, bids, draws)
    asked = [draw for draw in needed_draws(method) if not draw.is_order]
    assert asked
    assert set(found.drawn) == {draw.label for draw in asked}
    firsts: list[tuple[str, ...]] = []
    for values in product(*(draw.values for draw in asked)):
        chosen = {draw.label: value for draw, value in zip(asked, values, strict=True)}
        firsts.append(first_of(evaluate(method, bids, draws_of(method, bids, chosen))))
    assert found.combinations == {each: firsts.count(each) for each in firsts}
    for draw in asked:
        assert list(found.drawn[draw.label]) == list(draw.values)


def test_the_report_is_json_and_tells_how_far_it_is() -> None:
    method, bids, draws = example(DRAWN)
    told: list[tuple[int, int]] = []
    found = sensitivity(method, bids, draws, lambda done, total: told.append((done, total)))
    assert told == [(at + 1, len(told)) for at in range(len(told))]
    assert len(told) == trial_count(method, bids)
    report = json.loads(json.dumps(found.as_json()))
    assert report["actual"]["first"] == list(found.actual.first)
    assert sum(each["count"] for each in report["combinations"]) == sum(found.combinations.values())


def test_nobody_wins_an_empty_evaluation() -> None:
    method = method_of(BUILDING)
    given_ = example_bids(method)["given"]
    bids = bids_of(method, {"given": given_, "bids": []})
    found = sensitivity(method, bids, draws_of(method, bids, {}))
    assert (found.actual.first, found.next, found.deciding) == ((), {}, ())


def test_an_order_that_was_drawn_loses_the_bid_that_is_left_out() -> None:
    method = parse_method(json.dumps(WITH_ORDER).encode())
    rows = [{"id": each, "price": "100.00"} for each in ("1", "2", "3")]
    bids = bids_of(method, {"bids": rows})
    found = sensitivity(method, bids, draws_of(method, bids, {"test.line": ["2", "3", "1"]}))
    assert (found.actual.first, found.next) == (("2",), {"2": ("3",)})
    assert found.drawn == {}
    assert found.combinations == {("2",): 1}


# ---- simulation


def question(**changed: Any) -> Question:
    asked: dict[str, Any] = {
        "own": "2",
        "vary": "price",
        "prices": price_range(90_000_000_00, 100_000_000_00, 2_500_000_00),
        "samples": 0,
        "spread": 30_000,
        "seed": "1",
    }
    return Question(**asked | changed)


def test_assumed_rivals_give_what_the_engine_gives_for_each_price() -> None:
    method, bids, draws = example(BUILDING)
    document: Any = bids.document
    outlooks = simulate(method, bids, question())
    assert [outlook.price for outlook in outlooks] == list(question().prices)
    for outlook in outlooks:
        rows = [dict(row) for row in document["bids"]]
        rows[1]["price"] = money_text(outlook.price)
        trial = bids_of(method, {"given": document["given"], "bids": rows})
        results = evaluate(method, trial, draws).results
        assert outlook.places == {results.place("2"): 1}
        score: Any = results.shown["score"]
        assert outlook.scores == {Decimal(score["2"]): 1}


def test_every_combination_of_coefficients_is_a_case() -> None:
    method, bids, _ = example(DRAWN)
    low = parse_money(example_bids(method)["bids"][0]["price"])
    asked = question(own=bids.ids[0], prices=(low,))
    (outlook,) = simulate(method, bids, asked)
    assert outlook.trials == trials.combination_count(method) > 1
    assert outlook.places.total() + outlook.unplaced == outlook.trials


def test_samples_are_the_same_for_the_same_seed_and_stay_within_the_spread() -> None:
    method, bids, _ = example(BUILDING)
    one, again, other = (
        [o.as_json() for o in simulate(method, bids, question(samples=12, seed=seed))]
        for seed in ("a", "a", "b")
    )
    assert one == again
    assert one != other


@given(st.integers(1, 10**15), st.integers(0, 999_999), st.integers(0, 50))
def test_a_sampled_price_lies_within_the_spread(fen: int, spread: int, number: int) -> None:
    from crypto.draws import Stream
    from crypto.hashes import sha256

    found = simulation._around(fen, spread, Stream(sha256(b"test"), f"sample.{number}"))  # pyright: ignore[reportPrivateUsage]
    assert max(1, fen - fen * spread // 10**6) <= found <= fen + fen * spread // 10**6


def test_an_order_comes_from_the_seed() -> None:
    method = parse_method(json.dumps(WITH_ORDER).encode())
    bids = bids_of(method, {"bids": [{"id": each, "price": "100.00"} for each in "1234"]})
    asked = question(prices=(100_00,), samples=60, spread=0)
    (outlook,) = simulate(method, bids, asked)
    assert set(outlook.places) == {1, 2, 3, 4}
    assert simulate(method, bids, asked)[0].as_json() == outlook.as_json()
    assert outlook.as_json()["score"] is None


def test_an_outlook_is_summed_up_exactly() -> None:
    outlook = Outlook(100)
    for place, score in ((1, "80.00"), (2, "70.00"), (2, "70.01"), (None, None)):
        outlook.note(place, score)
    assert (outlook.trials, outlook.wins, outlook.unplaced) == (4, 1, 1)
    assert outlook.mean_score == Decimal("73.3367")
    assert outlook.score_at(Fraction(1, 2)) == Decimal("70.01")
    assert outlook.score_at(Fraction(2)) is None
    assert outlook.as_json()["places"] == {"1": 1, "2": 2}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"own": "9"}, "simulate.own"),
        ({"vary": "credit"}, "simulate.vary"),
        ({"vary": "nothing"}, "simulate.vary"),
        ({"samples": -1}, "simulate.samples"),
        ({"samples": simulation.SAMPLES_MAX + 1}, "simulate.samples"),
        ({"spread": 10**6}, "simulate.samples"),
        ({"prices": (1,)}, "bids.range"),
        ({"prices": tuple(range(1, 500)), "samples": 10_000}, "trials.too_many"),
    ],
)
def test_what_cannot_be_simulated_is_refused(changed: dict[str, Any], code: str) -> None:
    method, bids, _ = example(BUILDING)
    with pytest.raises(Rejected) as refused:
        simulate(method, bids, question(**changed))
    assert refused.value.code == code


@pytest.mark.parametrize("span", [(0, 10, 1), (10, 9, 1), (1, 10, 0), (1, 10**6, 1)])
def test_a_range_of_prices_is_bounded(span: tuple[int, int, int]) -> None:
    with pytest.raises(Rejected, match=r"simulate\.range"):
        price_range(*span)


def test_too_many_combinations_are_refused_before_anything_is_computed() -> None:
    document = json.loads(json.dumps(WITH_ORDER))
    values = {"type": "one", "name": {"zh": "系数", "en": "coefficient"}, "from": "1", "to": "500"}
    document["draws"] |= {
        name: values | {"label": f"test.{name}", "step": "1"} for name in ("k", "m")
    }
    document["steps"].insert(
        0,
        {
            "id": "x",
            "do": "formula",
            "name": {"zh": "值", "en": "value"},
            "clause": {"zh": "1", "en": "1"},
            "over": "bids",
            "value": "price * k * m",
            "round": {"mode": "half_up", "digits": 2},
        },
    )
    document["steps"][1]["by"][0] = {"lowest": "x"}
    method = parse_method(json.dumps(document).encode())
    bids = bids_of(method, {"bids": [{"id": "1", "price": "1.00"}]})
    with pytest.raises(Rejected, match=r"trials\.too_many"):
        trial_count(method, bids)


# ---- comparison


def rows_of(*methods: Method) -> dict[str, Any]:
    """The first method's example, with the members that the others ask for beside."""
    document = json.loads(json.dumps(example_bids(methods[0])))
    for method in methods[1:]:
        other = example_bids(method)
        document["given"] |= other["given"] | document["given"]
        for row, more in zip(document["bids"], other["bids"], strict=False):
            row |= more | row
        document["bids"] = document["bids"][: len(other["bids"])]
    return document


def test_two_methods_are_computed_on_the_same_bids() -> None:
    one, two = method_of(BUILDING), method_of("lowest-evaluated")
    bids = rows_of(one, two)
    found = compare(one, two, bids, {})
    assert found.first.results.ranked
    for bid, (a, b) in found.fates.items():
        assert a.place == found.first.results.place(bid)
        assert b.place == found.second.results.place(bid)
    assert set(found.moved) == {bid for bid, (a, b) in found.fates.items() if a.place != b.place}
    printed = json.loads(json.dumps(found.as_json()))
    assert [each["id"] for each in printed["methods"]] == [one.id, two.id]
    assert list(printed["bids"]) == list(found.fates)


def test_a_method_against_itself_moves_nobody() -> None:
    method = method_of(DRAWN)
    found = example_of(method)
    assert found is not None
    bids, draws = found
    compared = compare(method, method, bids.document, draws.document)  # pyright: ignore[reportArgumentType]
    assert compared.moved == ()


@pytest.mark.parametrize(
    ("bids", "draws", "code"),
    [
        ({"bids": [], "extra": 1}, {}, "bids.unknown_member"),
        ({"bids": 1}, {}, "bids.type"),
        ({"given": {"nothing": "1"}, "bids": []}, {}, "bids.unknown_member"),
        ({"bids": [{"id": "1", "colour": "red"}]}, {}, "bids.unknown_member"),
        ({"bids": ["x"]}, {}, "bids.missing"),
        ({"bids": []}, {"other.label": "1"}, "draws.unknown_member"),
        ({"bids": []}, {}, "bids.missing"),
    ],
)
def test_what_neither_method_knows_is_refused(
    bids: dict[str, Any], draws: dict[str, Any], code: str
) -> None:
    method = method_of(BUILDING)
    with pytest.raises(Misplaced) as refused:
        compare(method, method, bids, draws)
    assert refused.value.code == code
