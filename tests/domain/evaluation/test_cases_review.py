"""Published cases about gates, outliers, bands, experts, corrections and rejections."""

from typing import Any

import pytest

from server.domain.evaluation.methods import Method
from tests.domain.evaluation.documents import (
    FEW,
    HALF_UP_2,
    SAME,
    TEXT,
    evaluated,
    method,
    number,
    priced,
    rank,
    step,
)

PRICE = number("0.01", "1000000000")
FLAG = {"type": "flag", "name": TEXT}


def points(limit: str = "1000") -> dict[str, Any]:
    return number("0", limit)


def deviation_slope(over: str, full: str, **below: str) -> dict[str, Any]:
    return step(
        "S",
        "slope",
        over=over,
        value="d",
        full=full,
        above={"per": "1%", "points": "2"},
        below={"per": "1%", "points": "1", **below},
        units="none",
        deduction="none",
        round=HALF_UP_2,
    )


def deviation(over: str, digits: int | None) -> dict[str, Any]:
    round_to = "none" if digits is None else {"mode": "half_up", "digits": digits}
    return step("d", "formula", over=over, value="(price - B) / B", round=round_to)


def extreme(step_id: str, do: str, of: str) -> dict[str, Any]:
    return step(step_id, do, of=of, value="price", few=FEW)


PERCENT = {"mode": "half_up", "digits": 4}


def test_case_07_a_technical_gate_and_an_outlier_against_its_neighbour():
    found = method(
        step("passed", "keep", from_="bids", where="tech >= 28"),
        step(
            "near",
            "outlier",
            from_="passed",
            value="price",
            side="both",
            more_than="15%",
            inclusive=False,
            few=SAME,
        ),
        extreme("lowest_of_all", "lowest", "passed"),
        extreme("lowest", "lowest", "near"),
        step("gap", "formula", value="(lowest - lowest_of_all) / lowest", round=PERCENT),
        step("mean", "mean", of="near", value="price", round=HALF_UP_2, few=FEW),
        step("B", "formula", value="reference * 50% + mean * 50%", round="none"),
        deviation("near", 4),
        deviation_slope("near", "60", most="10"),
        step(
            "business",
            "cases",
            over="passed",
            cases=[{"in": "near", "value": "S"}],
            otherwise="15",
            round=HALF_UP_2,
        ),
        rank("passed", {"highest": "business"}),
        given={"reference": PRICE},
        fields={"price": PRICE, "tech": points()},
    )
    bids = priced(
        "13656",
        "11108",
        "13098",
        "13241",
        "14125",
        "13500",
        tech=["30", "30", "30", "30", "30", "27.2"],
    )
    derivation = evaluated(found, bids, {"reference": "13790"})
    assert derivation.results.left_out == {"6": "passed"}
    assert derivation.members("near") == ("1", "3", "4", "5")
    assert derivation.value("gap") == "0.1519"
    assert derivation.value("B") == "13660"
    assert derivation.results.winner == "1"
    scores = derivation.column("business")  # these follow from the rule; not published
    assert scores == {"1": "59.97", "2": "15.00", "3": "55.89", "4": "56.93", "5": "53.20"}


BANDS = [
    {"when": "-5% <= d <= -2.5%", "value": "50"},
    {"when": "-2.4% <= d <= 0", "value": "70"},
    {"when": "0.1% <= d <= 2.4%", "value": "60"},
    {"when": "2.5% <= d <= 5%", "value": "40"},
]


def banded(digits: int | None) -> Method:
    """Bands of the deviation, with gaps between them; sections below 60 knock a bid out."""
    fields = ("reason", "management", "credit")
    return method(
        deviation("bids", digits),
        step("band", "cases", over="bids", cases=BANDS, otherwise="fail", round="none"),
        step("time", "formula", over="bids", value="40 - max(30 - (540 - days), 0)", round="none"),
        step("price_part", "formula", over="bids", value="band + reason", round="none"),
        step("managed", "formula", over="bids", value="time + management", round="none"),
        step(
            "valid",
            "keep",
            from_="bids",
            where="price_part >= 60 and managed >= 60 and credit >= 60",
        ),
        step(
            "total",
            "total",
            over="valid",
            parts=[
                {"value": "price_part", "weight": "50%"},
                {"value": "managed", "weight": "30%"},
                {"value": "credit", "weight": "20%"},
            ],
            sum_to="100%",
            round={"mode": "half_up", "digits": 1},
        ),
        rank("valid", {"highest": "total"}),
        given={"B": PRICE},
        fields={"price": PRICE, "days": points()} | {name: points() for name in fields},
    )


def test_case_09_bands_with_gaps_and_sections_that_knock_out():
    bids = priced(
        "4120",
        "4080",
        "3980",
        "3900",
        "4200",
        days=["510", "530", "520", "540", "510"],
        reason=["20", "28", "25", "20", "25"],
        management=["51", "53", "49", "43", "48"],  # the last is printed 40+25+15=88: 8 is missing
        credit=["87", "85", "92", "88", "89"],
    )
    derivation = evaluated(banded(3), bids, {"B": "4000"})
    assert list(derivation.column("band").values()) == ["40", "60", "70", "50", "40"]
    assert list(derivation.column("time").values()) == ["40", "20", "30", "10", "40"]
    assert list(derivation.column("price_part").values()) == ["60", "88", "95", "70", "65"]
    assert list(derivation.column("managed").values()) == ["91", "73", "79", "53", "88"]
    assert derivation.results.left_out == {"4": "valid"}
    assert derivation.column("total") == {"1": "74.7", "2": "82.9", "3": "89.6", "5": "76.7"}
    assert derivation.results.winner == "3"


@pytest.mark.parametrize(("digits", "ranked"), [(3, True), (None, False)])
def test_case_09_a_deviation_in_a_gap_of_the_bands_ends_it_unless_it_is_rounded(
    digits: int | None, ranked: bool
):
    bids = priced("3902", days=["510"], reason=["20"], management=["51"], credit=["87"])
    results = evaluated(banded(digits), bids, {"B": "4000"}).results  # -2.45%
    assert results.ranked is ranked
    assert results.failed_at == ("" if ranked else "band")


def test_case_09_a_price_is_built_up_of_rounded_parts():
    rates = {"measures": "price * 9.73%", "overhead": "(price + measures) * 4.39%"}
    rates["profit"] = "(price + measures + overhead) * 3.93%"
    rates["taxes"] = "(price + measures + overhead + profit) * 3.51%"
    steps = [
        step(name, "formula", over="bids", value=value, round=HALF_UP_2)
        for name, value in rates.items()
    ]
    whole = step(
        "whole", "formula", over="bids", value="price + " + " + ".join(rates), round="none"
    )
    derivation = evaluated(method(*steps, whole, fields={"price": PRICE}), priced("3230"))
    found = [derivation.column(name)["1"] for name in (*rates, "whole")]
    assert found == ["314.28", "155.59", "145.40", "134.97", "3980.24"]


LOT_2 = [
    ["96.0", "97.0", "98.5"],
    ["85.14", "86.14", "90.64"],
    ["92.52", "94.52", "97.52"],
    ["91.46", "91.46", "96.46"],
    ["71.43", "76.43", "80.43"],
]
LOT_5 = [["91.02", "92.02", "92.52"], ["86.5", "88.5", "91.5"]]


@pytest.mark.parametrize(
    ("marks", "means"),
    [(LOT_2, ["97.17", "87.31", "94.85", "93.13", "76.10"]), (LOT_5, ["91.85", "88.83"])],
)
def test_case_18_the_mean_of_the_experts_totals_decides(marks: list[list[str]], means: list[str]):
    found = method(
        step(
            "S",
            "experts",
            over="bids",
            scores="marks",
            by="expert",
            drop={"table": [{"from": 1, "highest": 0, "lowest": 0}]},
            average=HALF_UP_2,
            round=HALF_UP_2,
        ),
        rank("bids", {"highest": "S"}),
        fields={
            "marks": {
                "type": "scores",
                "name": TEXT,
                "experts": {"min": 3, "max": 3},
                "digits": 2,
                "criteria": [{"id": "all", "name": TEXT, "full": "100"}],
            }
        },
    )
    bids = [{"id": str(i), "marks": {"all": row}} for i, row in enumerate(marks, 1)]
    derivation = evaluated(found, bids)
    assert list(derivation.column("S").values()) == means  # ours; the winners are published
    assert derivation.results.winner == "1"


def test_case_20_a_price_with_a_missing_digit_is_left_out_and_named():
    prices = [
        "190079068.90",
        "191729188.22",
        "19978125.25",
        "202349186.72",
        "191161116.18",
        "191527510.21",
        "192457199.54",
        "200108149.87",
        "197800388.00",
        "196845156.84",
        "196131296.67",
        "196844573.23",
    ]
    found = method(
        step("below_ceiling", "keep", from_="bids", where="price <= ceiling"),
        step("plausible", "keep", from_="below_ceiling", where="price >= 50% * ceiling"),
        rank("plausible"),
        given={"ceiling": PRICE},
        fields={"price": PRICE},
    )
    derivation = evaluated(found, priced(*prices), {"ceiling": "209312169.30"})
    assert derivation.results.left_out == {"3": "plausible"}
    assert len(derivation.members("below_ceiling")) == 12


def test_case_21_four_of_seven_are_rejected_and_three_are_enough():
    found = method(
        step("valid", "keep", from_="bids", where="responsive"),
        step("n", "count", of="valid"),
        step("enough", "require", condition="n >= 3"),
        rank("valid", {"highest": "score"}),
        fields={"score": points("100"), "responsive": FLAG},
    )
    scores = ["0", "0", "0", "0", "90.76", "74.89", "72.43"]
    bids = [
        {"id": str(i), "score": score, "responsive": score != "0"}
        for i, score in enumerate(scores, 1)
    ]
    results = evaluated(found, bids).results
    assert results.ranking == ((1, "5"), (2, "6"), (3, "7"))
    bids[6]["responsive"] = False
    results = evaluated(found, bids).results
    assert (results.ranked, results.failed_at, results.ranking) == (False, "enough", ())


def test_case_31_scores_above_100_are_not_cut():
    found = method(
        step("credit", "formula", over="bids", value="rate + prizes + alike", round="none"),
        step("time", "formula", over="bids", value="100 + 5 * (40 - months)", round="none"),
        step("S", "formula", over="bids", value="tech + price_score * 60%", round=HALF_UP_2),
        rank("bids", {"highest": "S"}),
        fields={
            name: points() for name in ("rate", "prizes", "alike", "months", "tech", "price_score")
        },
    )
    rows = [
        ["50", "10", "30", "36", "38.5", "87.1"],
        ["40", "0", "30", "37", "35", "94.85"],
        ["55", "20", "40", "34", "40", "97.4"],
    ]
    bids = [
        {"id": str(i), **dict(zip(found.fields, row, strict=True))} for i, row in enumerate(rows, 1)
    ]
    derivation = evaluated(found, bids)
    assert list(derivation.column("credit").values()) == ["90", "70", "115"]
    assert list(derivation.column("time").values()) == ["120", "115", "130"]
    scores = derivation.column("S")
    assert (scores["1"], scores["2"]) == ("90.76", "91.91")  # published
    assert scores["3"] == "98.44"  # follows from the rule


@pytest.mark.parametrize(("digits", "first"), [(4, "51.82"), (None, "51.83")])
def test_case_38_withdrawn_changed_corrected_and_then_above_the_ceiling(
    digits: int | None, first: str
):
    """The withdrawn bid F is no bid. No answer is stored: the figures follow from the rule."""
    found = method(
        step("honest", "keep", from_="bids", where="provisional = 280"),
        step(
            "corrected",
            "formula",
            over="honest",
            value="max(price - line_written + line_price * line_amount / 10000, 1)",
            round=HALF_UP_2,
        ),
        step("valid", "keep", from_="honest", where="corrected <= ceiling"),
        step("B", "mean", of="valid", value="corrected", round=HALF_UP_2, few=FEW),
        deviation("valid", digits),
        deviation_slope("valid", "60"),
        rank("valid", {"highest": "S"}),
        given={"ceiling": PRICE},
        fields={"price": PRICE}
        | {
            name: points("1000000")
            for name in ("provisional", "line_written", "line_price", "line_amount")
        },
    )
    bids = priced(
        "3489",
        "3470",
        "3358",
        "3209",
        "3542",
        provisional=["280", "260", "280", "280", "280"],
        line_written=["0", "0", "0", "0", "3.64"],
        line_price=["0", "0", "0", "0", "700"],
        line_amount=["0", "0", "0", "0", "520"],
    )
    derivation = evaluated(found, bids, {"ceiling": "3568"})
    assert derivation.column("corrected")["5"] == "3574.76"
    assert derivation.results.left_out == {"2": "honest", "5": "valid"}
    assert derivation.value("B") == "3352.00"
    assert derivation.column("S") == {"1": first, "3": "59.64", "4": "55.73"}


def test_case_37_two_supervision_candidates_below_the_ceiling():
    found = method(
        step("valid", "keep", from_="bids", where="price <= ceiling"),
        step(
            "share",
            "formula",
            over="valid",
            value="price / ceiling",
            round={"mode": "half_up", "digits": 4},
        ),
        rank("valid", {"highest": "score"}),
        given={"ceiling": PRICE},
        fields={"price": PRICE, "score": points("100")},
    )
    bids = priced("1368000.00", "1382000.00", score=["88.21", "82.08"])
    derivation = evaluated(found, bids, {"ceiling": "1400000"})
    assert derivation.column("share") == {"1": "0.9771", "2": "0.9871"}
    assert derivation.results.ranking == ((1, "1"), (2, "2"))  # as published
