"""What holds for every method and all bids: order, outliers, bounds, boundaries, replay."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.evaluation.methods import Derivation, Method, replay
from server.domain.evaluation.methods.steps.step import NumberOutput
from tests.domain.evaluation.documents import (
    DELIVERED,
    delivered,
    delivered_names,
    evaluated,
    priced,
)
from tests.domain.evaluation.random_bids import inputs

METHODS = {name: delivered(name) for name in delivered_names()}
every_method = pytest.mark.parametrize("name", METHODS)
quick = settings(max_examples=12, deadline=None)


def of(method: Method, found: dict[str, Any]) -> Derivation:
    return evaluated(method, found["bids"], found["given"], found["draws"])


@every_method
@quick
@given(data=st.data())
def test_any_bids_give_a_ranking_or_a_named_end_and_replay_byte_by_byte(
    name: str, data: st.DataObject
):
    derivation = of(METHODS[name], data.draw(inputs(METHODS[name])))
    printed = derivation.to_json()
    assert replay(printed) == printed
    results = derivation.results
    ranked = [bid for _, bid in results.ranking]
    if results.ranked:
        assert sorted([*ranked, *results.left_out]) == sorted(derivation.bids.ids)
        assert [place for place, _ in results.ranking] == sorted(p for p, _ in results.ranking)
    else:
        assert results.failed_at == derivation.lines[-1].step.head.id


@every_method
@quick
@given(data=st.data())
def test_the_order_of_the_bids_does_not_matter(name: str, data: st.DataObject):
    found = data.draw(inputs(METHODS[name]))
    shuffled = data.draw(st.permutations(found["bids"]))
    again = of(METHODS[name], found | {"bids": shuffled})
    assert again.to_json() == of(METHODS[name], found).to_json()


WITH_CEILING = [name for name, method in METHODS.items() if "ceiling" in method.given]


@pytest.mark.parametrize("name", WITH_CEILING)
@quick
@given(data=st.data())
def test_a_far_outlier_that_is_filtered_changes_nothing(name: str, data: st.DataObject):
    method = METHODS[name]
    found = data.draw(inputs(method, 1))
    far = dict(found["bids"][0]) | {"id": "999"}
    far["price"] = "99000000.00" if "." in far["price"] else "99000000"
    drawn = {
        label: [*result, "999"] if isinstance(result, list) else result
        for label, result in found["draws"].items()
    }
    more = found | {"bids": [*found["bids"], far], "draws": drawn}
    before, after = of(method, found), of(method, more)
    assert after.results.ranking == before.results.ranking
    first = "below" if name == "highway-weighted-ceiling" else "valid"
    assert after.results.left_out == before.results.left_out | {"999": first}
    for line, other in zip(before.lines, after.lines, strict=True):
        if isinstance(line.output, NumberOutput):
            assert line.output == other.output


POINTS = [
    name
    for name, method in METHODS.items()
    if "price_score" in method.shows and "score" in method.shows
]


@pytest.mark.parametrize("name", POINTS)
@quick
@given(data=st.data())
def test_scores_stay_within_their_bounds(name: str, data: st.DataObject):
    method = METHODS[name]
    shown = of(method, data.draw(inputs(method, 1))).results.shown
    for role in ("price_score", "score"):
        scores = shown.get(role, {})
        assert isinstance(scores, dict)
        assert all(0 <= Decimal(score) <= 100 for score in scores.values())


@quick
@given(data=st.data())
def test_a_lower_price_never_scores_less_where_the_lowest_is_the_benchmark(data: st.DataObject):
    method = METHODS["procurement-low-price-first"]
    derivation = of(method, data.draw(inputs(method, 1)))
    if not derivation.results.ranked:
        return
    prices, scores = derivation.column("E"), derivation.column("S1")
    line = sorted(prices, key=lambda bid: Decimal(prices[bid]))
    assert [Decimal(scores[bid]) for bid in line] == sorted(
        (Decimal(score) for score in scores.values()), reverse=True
    )
    assert Decimal(scores[line[0]]) == 30


# ---- one fen on each side of a boundary

FEN = Decimal("0.01")


def members_around(
    name: str, edge: str, step_id: str, others: list[str], **given_values: str
) -> list[bool]:
    """Whether bid 1 is in, one fen below the edge, on it, one fen above it."""
    found: list[bool] = []
    for price in (Decimal(edge) - FEN, Decimal(edge), Decimal(edge) + FEN):
        method = METHODS[name]
        rows = priced(str(price), *others)
        for field in method.fields:
            for row in rows:
                if field == "tech":
                    row["tech"] = {c: ["1.0"] for c in method.fields["tech"].criteria}
                row.setdefault(field, "AA" if field == "credit" else "0")
        draws = {draw.label: draw.values[0] for draw in method.draws.values()}
        found.append("1" in evaluated(method, rows, given_values, draws).members(step_id))
    return found


BOUNDARIES = [
    ("goods-comprehensive", "10500000.00", "valid", {"reference": "10000000.00"}, [1, 0, 0]),
    ("low-price-mean-k", "10000000.00", "valid", {"ceiling": "10000000.00"}, [1, 1, 0]),
    (
        "low-price-blend",
        "8500000.00",
        "range",
        {"ceiling": "10000000.00", "budget": "10000000.00"},
        [0, 1, 1],
    ),
    (
        "low-price-blend",
        "9000000.00",
        "range",
        {"ceiling": "10000000.00", "budget": "10000000.00"},
        [1, 1, 0],
    ),
]


@pytest.mark.parametrize(("name", "edge", "step_id", "given_values", "inside"), BOUNDARIES)
def test_one_fen_on_each_side_of_a_boundary_changes_the_named_step(
    name: str, edge: str, step_id: str, given_values: dict[str, str], inside: list[int]
):
    others = ["8800000.00", "8700000.00"]
    around = members_around(name, edge, step_id, others, **given_values)
    assert around == [bool(one) for one in inside]


UP_TO_THE_CEILING = [name for name in WITH_CEILING if name != "highway-weighted-ceiling"]


@pytest.mark.parametrize("name", UP_TO_THE_CEILING)
def test_just_above_the_ceiling_a_bid_is_out_and_the_step_that_says_so_is_named(name: str):
    """Just below it stays, as far as that step goes; at the ceiling as its method writes it."""
    method = METHODS[name]
    example = json.loads((DELIVERED / f"{name}.json").read_bytes())["example"]
    ceiling, shown = Decimal(example["given"]["ceiling"]), example["bids"][0]["price"]
    unit = FEN if "." in shown else Decimal(1)
    left_at: list[str | None] = []
    for price in (ceiling - unit, ceiling + unit):
        own = dict(example["bids"][0], price=str(price.quantize(unit)))
        bids = [own, *example["bids"][1:]]
        found = evaluated(method, bids, example["given"], example.get("draws", {}))
        left_at.append(found.results.left_out.get(own["id"]))
    assert left_at[0] != "valid"
    assert left_at[1] == "valid"


def test_one_fen_moves_a_price_over_a_started_percent():
    method = METHODS["goods-comprehensive"]
    marks = {"function": ["1.0"], "service": ["1.0"], "record": ["1.0"]}
    scores: list[str] = []
    for fen in ("-0.01", "0.00", "0.01"):
        # 1% above the mean of three: the other two answer so that the mean stays 10000000.00
        own = Decimal("10100000.00") + Decimal(fen)
        other = Decimal("9900000.00") - Decimal(fen)
        rows = priced(str(own), str(other), "10000000.00", tech=[marks] * 3)
        derivation = evaluated(method, rows, {"reference": "10000000.00"})
        assert derivation.value("B") == "10000000.00"
        scores.append(derivation.column("S1")["1"])
    assert scores == ["67.00", "67.00", "64.00"]


# ---- the same rule written a second time, in fractions


def half_up(value: Fraction, digits: int) -> Fraction:
    units = abs(value) * 10**digits + Fraction(1, 2)
    whole = Fraction(units.numerator // units.denominator, 10**digits)
    return -whole if value < 0 else whole


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_building_scores_are_those_of_the_rule_written_out(data: st.DataObject):
    method = METHODS["building-comprehensive"]
    found = data.draw(inputs(method, 1))
    derivation = of(method, found)
    valid = {
        bid["id"]: Fraction(bid["price"])
        for bid in found["bids"]
        if Fraction(bid["price"]) <= Fraction(found["given"]["ceiling"])
    }
    assert derivation.results.ranked is bool(valid)
    if not valid:
        return
    prices = sorted(valid.values())
    counted = prices[1:-1] if len(prices) > 3 else prices
    benchmark = half_up(sum(counted, Fraction(0)) / len(counted), 2)
    assert Fraction(derivation.value("B")) == benchmark
    for bid_id, price in valid.items():
        percent = half_up((price - benchmark) / benchmark, 4) * 100
        lost = percent * Fraction("0.6") if percent > 0 else -percent * Fraction("0.3")
        score = max(half_up(60 - lost, 2), Fraction(0))
        assert Fraction(derivation.column("S1")[bid_id]) == score


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_expressway_chain_is_the_rule_written_out(data: st.DataObject):
    method = METHODS["highway-expressway-chain"]
    found = data.draw(inputs(method, 1, 24))
    ceiling = int(found["given"]["ceiling"])
    bids = [
        (int(bid["price"]), bid["credit"])
        for bid in found["bids"]
        if 85 * ceiling <= 100 * int(bid["price"]) <= 100 * ceiling
    ]
    derivation = of(method, found)
    assert derivation.results.ranked is bool(bids)
    if bids:
        assert int(derivation.value("B")) == expressway_benchmark(bids, ceiling)


def counted_off(line: list[int], prices: list[int], z: int, count: int) -> list[int]:
    """Those of ``line``, which counts bids from 0 in the order of their numbers."""
    left, taken = list(line), list[int]()
    while left and len(taken) < count:
        taken.append(left.pop(z % len(left)))
        z -= prices[taken[-1]]
    return taken


def expressway_benchmark(bids: list[tuple[int, str]], ceiling: int) -> int:
    """procedure of one province: nobody draws, remainders decide."""
    prices = [price for price, _ in bids]
    inside = list(range(len(bids)))
    if len(bids) > 5:
        good = [i for i in inside if bids[i][1] in ("AA", "A")]
        rest = [i for i in inside if i not in good]
        lacking = half_up(max(Fraction(2 * len(bids), 3) - len(good), Fraction(0)), 0)
        inside = sorted(good + counted_off(rest, prices, sum(prices), int(lacking)))
    chosen = [prices[i] for i in inside]
    total, n = sum(chosen), len(chosen)
    way = total % 5 + 1 if n > 5 else {1: 1, 2: 2, 3: 5}[total % 3 + 1]
    line, mean = sorted(chosen), Fraction(total, n)
    ends = line[1:-1] if n >= 3 else line
    if way == 1:
        q = mean
    elif way == 2:
        weight = Fraction(min(max(total % 6 * 4 + 20, 20), 40), 100)
        q = mean * (1 - weight) + ceiling * weight
    elif way == 3:
        share = Fraction(70 if n <= 16 else 50, 100)
        some = ends
        if n > 8:
            taken = counted_off(inside, prices, total, int(half_up(share * n, 0)))
            some = [prices[i] for i in taken]
        q = Fraction(sum(some), len(some))
    elif way == 4:
        low, high = (n - 7) // 2, (n - 8) // 2
        some = ends if n <= 10 else line[low : n - high]
        q = Fraction(sum(some), len(some))
    else:
        upper = [price for price in chosen if mean <= price < ceiling]
        q = Fraction(sum(upper), len(upper)) if upper else mean
    whole = int(half_up(q, 0))
    step = Fraction(whole % 7, 200)
    if 100 * whole >= 95 * ceiling:
        cut = step + Fraction(1, 100)
    elif 10 * whole > 9 * ceiling:
        cut = step - Fraction(1, 100)
    else:
        cut = step - Fraction(4, 100)
    return int(half_up(whole * (1 - cut), 0))
