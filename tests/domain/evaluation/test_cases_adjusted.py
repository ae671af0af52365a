"""Published cases about adjusted prices: time, land, overlap, currencies, merit coefficients.

Amounts are in the unit of the source. Where a published figure does not follow from its own rule,
the test shows both.
"""

from fractions import Fraction
from typing import Any

import pytest

from server.domain.evaluation.methods import example_of
from server.domain.evaluation.methods.evaluating import evaluate
from tests.domain.evaluation.documents import (
    HALF_UP_2,
    SAME,
    delivered,
    evaluated,
    method,
    money,
    number,
    priced,
    rank,
    step,
)

PRICE = number("0.01", "100000000")


def formula(step_id: str, value: str, round_to: Any = "none", over: str = "bids"):
    return step(step_id, "formula", over=over, value=value, round=round_to)


def columns(derivation: Any, *names: str) -> list[list[str]]:
    return [list(derivation.column(name).values()) for name in names]


def test_case_10_the_highest_bid_wins_after_adjustment():
    found = delivered("lowest-evaluated")
    inputs = example_of(found)
    assert inputs is not None
    derivation = evaluate(found, *inputs)
    assert columns(derivation, "E") == [["50440000.00", "49480000.00", "48000000.00"]]
    assert [derivation.results.place(bid) for bid in ("1", "2", "3")] == [3, 2, 1]


@pytest.mark.parametrize(
    ("months_of_third", "time_of_third", "winner"), [("32", "8000000", "2"), ("30", "0", "3")]
)
def test_cases_11_and_12_a_month_of_delay_costs_eight_times_a_month_gained(
    months_of_third: str, time_of_third: str, winner: str
):
    found = method(
        formula("land_cost", "(land - 500) * 6000"),
        step(
            "time_cost",
            "cases",
            over="bids",
            cases=[{"when": "months > 30", "value": "(months - 30) * 4000000"}],
            otherwise="(months - 30) * 500000",
            round="none",
        ),
        formula("E", "price + land_cost + time_cost"),
        rank("bids", {"lowest": "E"}),
        fields={
            "price": PRICE,
            "land": number("0", "10000", 0),
            "months": number("1", "60", 0),
        },
    )
    bids = priced(
        "60000000",
        "55000000",
        "50000000",
        land=["400", "500", "550"],
        months=["28", "29", months_of_third],
    )
    derivation = evaluated(found, bids)
    assert columns(derivation, "land_cost", "time_cost") == [
        ["-600000", "0", "300000"],
        ["-1000000", "-500000", time_of_third],
    ]
    assert derivation.results.winner == winner  # as published


def test_case_13_stages_overlap_and_the_lowest_is_not_far_below():
    stages = ("price", "second", "third", "t1", "t2", "t3", "overlap")
    found = method(
        formula("whole", "price + second + third"),
        formula("time", "t1 + t2 + t3 - overlap"),
        step("valid", "keep", from_="bids", where="time <= 18"),
        step(
            "near",
            "outlier",
            from_="valid",
            value="whole",
            side="lowest",
            more_than="10%",
            inclusive=True,
            few=SAME,
        ),
        formula("E", "whole - (18 - time) * 40", over="near"),
        rank("near", {"lowest": "E"}),
        fields={name: number("0.00", "100000") for name in stages},
    )
    rows = [
        ["400", "1000", "1020", "4", "10", "6", "2"],
        ["420", "1080", "960", "3", "9", "6", "2"],
        ["420", "1100", "1000", "3", "10", "5", "3"],
    ]
    bids = [{"id": str(i), **dict(zip(stages, row, strict=True))} for i, row in enumerate(rows, 1)]
    derivation = evaluated(found, bids)
    assert columns(derivation, "whole", "time", "E") == [
        ["2420", "2460", "2520"],
        ["18", "16", "15"],
        ["2420", "2380", "2400"],
    ]
    assert derivation.results.winner == "2"


PARTS = {
    "works": "price / 7",
    "freight": "price * 2% / 7",
    "insurance": "price * 0.1% / 7",
    "sundries": "20000 / 7",
    "business": "price * 1% / 7",
    "technique": "price * 2% / 7",
}


@pytest.mark.parametrize(("round_to", "whole"), [(HALF_UP_2, "47899.99"), ("none", "47900.00")])
def test_case_15_rounding_every_part_gives_a_cent_less_than_rounding_once(
    round_to: Any, whole: str
):
    steps = [formula(name, value, round_to) for name, value in PARTS.items()]
    found = method(*steps, formula("E", " + ".join(PARTS), HALF_UP_2), fields={"price": PRICE})
    derivation = evaluated(found, priced("300000"))
    assert derivation.column("E") == {"1": whole}
    if round_to != "none":  # as published
        parts = [derivation.column(name)["1"] for name in PARTS]
        assert parts == ["42857.14", "857.14", "42.86", "2857.14", "428.57", "857.14"]


def test_case_16_arithmetic_correction_first_then_a_chain_of_adjustments():
    found = method(
        formula("corrected", "price - 50000"),
        formula("late", "corrected * 0.5% * 2"),
        formula("early_payment", "300000 * 1%"),
        formula("taxes", "corrected * 25%"),
        formula("E", "(corrected + late + early_payment + taxes) * 1.4 + 28500", HALF_UP_2),
        fields={"price": PRICE},
    )
    derivation = evaluated(found, priced("9500000"))
    assert columns(derivation, "corrected", "early_payment", "taxes", "E") == [
        ["9450000"],
        ["3000"],
        ["2362500"],
        ["16702500.00"],
    ]
    printed, needed_by_the_printed_total = "945300", "94500"
    assert derivation.column("late")["1"] == needed_by_the_printed_total != printed


MEAT = formula("E", "price / (1 + own / (1 - 0.15))")


def test_case_23_a_merit_coefficient_is_exact_where_floats_are_not():
    found = method(
        MEAT,
        rank("bids", {"lowest": "E"}),
        fields={"price": PRICE, "own": number("0", "0.15")},
    )
    derivation = evaluated(found, priced("475000", "480000", own=["0.1", "0.15"]))
    assert derivation.column("E") == {"1": "425000", "2": "408000"}
    assert derivation.results.winner == "2"  # the higher bid
    # The published fractions hold the binary floats 0.1 and 0.15.
    published = (
        Fraction(1454662679640670217500, 3422735716801577),
        Fraction(57420895248973824375, 140737488355328),
    )
    assert published[0] < 425000
    assert published[1] > 408000


def test_case_23_the_documentation_s_own_figures():
    found = method(
        formula("coefficient", "1 + (first + second) / (1 - (0.15 + 0.15))"),
        formula("E", "price / coefficient", HALF_UP_2),
        fields={name: number("0", "1000") for name in ("price", "first", "second")},
    )
    bids = priced("499.0", first=["0.1"], second=["0.1"])
    derivation = evaluated(found, bids)
    assert derivation.column("coefficient") == {"1": "9/7"}
    assert derivation.column("E") == {"1": "388.11"}


LETTINGS = {
    "61E48": (["2442732.28", "1994453.20", "1988192.42", "2478634.16"], "3"),
    "LE055": (["1308109.22", "1121400.90", "1482335.31", "1275934.65", "1277172.59"], "2"),
    "61D34": (["24310459.54", "27246580.51", "29358958.53", "32495765.50"], "1"),
    "61F07": (["2073879.34", "2725730.44", "2367337.40", "2134800.00"], "1"),
    "97686": (["1174777.00", "1253715.60", "1249197.19", "1264881.21"], "1"),
    "62W88": (["831058.34", "743319.75", "788220.55", "799907.95", "794450.15"], "2"),
}


@pytest.mark.parametrize("letting", LETTINGS)
def test_case_26_the_low_bid_is_the_flagged_one(letting: str):
    prices, low = LETTINGS[letting]
    found = method(fields={"price": money()})
    assert evaluated(found, priced(*prices)).results.winner == low


@pytest.mark.parametrize(
    ("price", "asked", "offered", "expected"), [("1000", 20, 18, "980"), ("3000", 15, 16, "3030")]
)
def test_case_35_earlier_is_cheaper_and_later_dearer(
    price: str, asked: int, offered: int, expected: str
):
    found = method(
        step(
            "E",
            "cases",
            over="bids",
            cases=[{"when": "months < asked", "value": "price - (asked - months) * 10"}],
            otherwise="price + (months - asked) * 30",
            round="none",
        ),
        rank("bids", {"lowest": "E"}),
        given={"asked": number("1", "60", 0)},
        fields={"price": PRICE, "months": number("1", "60", 0)},
    )
    bids = priced(price, months=[str(offered)])
    assert evaluated(found, bids, {"asked": str(asked)}).column("E") == {"1": expected}
