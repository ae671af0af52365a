"""Steps that choose bids: whoever is in, at none, one and two, and where values are equal."""

from typing import Any

import pytest

from server.domain.evaluation.methods import Derivation, explain, render
from tests.domain.evaluation.documents import (
    SAME,
    TEXT,
    evaluated,
    method,
    number,
    priced,
    rank,
    step,
)

WHOLE = {"mode": "half_up", "digits": 0}
LOTS = {"lots": {"type": "order", "name": TEXT, "label": "lots"}}


def trim(drop: dict[str, Any], equal: str = "one", few: Any = SAME) -> dict[str, Any]:
    return step("t", "trim", from_="bids", value="price", drop=drop, equal=equal, few=few)


def table(*rows: tuple[int, int, int]) -> dict[str, Any]:
    return {"table": [{"from": n, "highest": h, "lowest": low} for n, h, low in rows]}


def share(highest: str, lowest: str, mode: str) -> dict[str, Any]:
    parts = {"highest": highest, "lowest": lowest, "round": {"mode": mode, "digits": 0}}
    return {"share": parts}


def after(one: dict[str, Any], *prices: str, **members: Any) -> tuple[str, ...]:
    return evaluated(method(one, **members), priced(*prices)).members(one["id"])


def prices(count: int) -> list[str]:
    return [f"{n}.00" for n in range(1, count + 1)]


BOTH_FROM_5 = table((1, 0, 0), (5, 1, 1))
TRIMS = [
    (BOTH_FROM_5, 4, "1234"),
    (BOTH_FROM_5, 5, "234"),
    (table((6, 1, 0), (7, 1, 1)), 5, "12345"),
    (table((6, 1, 0), (7, 1, 1)), 6, "12345"),
    (table((6, 1, 0), (7, 1, 1)), 7, "23456"),
    (share("20%", "20%", "half_up"), 7, "23456"),
    (share("20%", "20%", "half_up"), 8, "34567"[:4]),
    (share("10%", "10%", "truncate"), 9, "123456789"),
    ({"middle": {"keep": 5, "odd": "highest"}}, 8, "23456"),
    ({"middle": {"keep": 5, "odd": "lowest"}}, 8, "34567"),
    ({"middle": {"keep": 5, "odd": "highest"}}, 9, "34567"),
    ({"middle": {"keep": 5, "odd": "highest"}}, 5, "12345"),
    ({"middle": {"keep": 5, "odd": "highest"}}, 2, "12"),
]


@pytest.mark.parametrize(("drop", "count", "kept"), TRIMS)
def test_a_trim_leaves_out_what_its_table_share_or_middle_says(
    drop: dict[str, Any], count: int, kept: str
):
    assert "".join(after(trim(drop), *prices(count))) == kept


def test_among_equal_prices_the_later_number_counts_as_higher():
    assert after(trim(table((3, 1, 1))), "5.00", "5.00", "5.00", "5.00") == ("2", "3")


def test_prices_equal_to_one_that_stays_may_stay_too():
    equal = ["1.00", "2.00", "2.00", "3.00", "4.00", "4.00"]
    assert after(trim(table((3, 1, 1)), "keep"), *equal) == ("2", "3", "4", "5", "6")
    assert after(trim(table((3, 1, 1)), "one"), *equal) == ("2", "3", "4", "5")


FEW_ALL = {"0": "all", "1": "all", "2": "all"}
FEW_FAIL = {"0": "fail", "1": "fail", "2": "fail"}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_bids_all_stay_or_end_the_evaluation_as_the_step_says(count: int):
    drop = table((1, 1, 0), (3, 1, 1))  # would leave nothing of one, were it not ruled otherwise
    kept = after(trim(drop, few=FEW_ALL), *prices(count))
    assert len(kept) == count
    ended = evaluated(method(trim(drop, few=FEW_FAIL)), priced(*prices(count)))
    assert (ended.results.ranked, ended.results.failed_at) == (False, "t")
    assert ended.results.failure == f"n={count}"
    last = {language: render(ended, language).splitlines()[-1] for language in ("zh", "en")}
    assert last == {"zh": "排序：无，评标终止。", "en": "Ranking: none, the evaluation ended."}
    assert f"（{('没有投标', '仅有一家', '仅有两家')[count]}）" in render(ended, "zh")
    assert f"({('none', 'one', 'two')[count]})" in render(ended, "en")


# ---- outliers


def outlier(side: str, *, inclusive: bool, few: Any = SAME) -> dict[str, Any]:
    return step(
        "near",
        "outlier",
        from_="bids",
        value="price",
        side=side,
        more_than="15%",
        inclusive=inclusive,
        few=few,
    )


@pytest.mark.parametrize(
    ("side", "inclusive", "left"),
    [
        ("highest", True, "23"),
        ("highest", False, "123"),
        ("lowest", True, "13"),
        ("lowest", False, "123"),
        ("both", True, "3"),
    ],
)
def test_an_extreme_exactly_at_the_limit_stays_or_goes_as_it_is_written(
    side: str, inclusive: bool, left: str
):
    """115 is 15% above 100, 85 is 15% below it: measured against the neighbour."""
    kept = after(outlier(side, inclusive=inclusive), "115.00", "85.00", "100.00")
    assert "".join(kept) == left


@pytest.mark.parametrize(("fen", "left"), [("114.99", "123"), ("115.01", "23")])
def test_one_fen_decides_about_an_extreme(fen: str, left: str):
    kept = after(outlier("highest", inclusive=False), fen, "99.00", "100.00")
    assert "".join(kept) == left


def test_a_single_bid_has_no_neighbour():
    assert after(outlier("both", inclusive=True), "1.00") == ("1",)
    assert after(outlier("both", inclusive=True)) == ()
    assert after(outlier("both", inclusive=True, few=FEW_ALL), "1.00", "9.00") == ("1", "2")


@pytest.mark.parametrize("inclusive", [True, False])
def test_an_outlier_says_what_it_does(inclusive: bool):
    found = method(outlier("both", inclusive=inclusive))
    zh = "15%及以上" if inclusive else "15%以上（不含本数）"
    assert zh in explain(found, "zh")[-2]
    en = "15% or more above the next" if inclusive else "more than 15% above the next"
    assert en in explain(found, "en")[-2]


# ---- picking


def pick(by: dict[str, Any], count: str = "2", **members: Any) -> dict[str, Any]:
    every = {"count": count, "round": WHOLE, "by": by, "few": SAME}
    return step("p", "pick", from_="bids") | {"from": "bids"} | every | members


def picked(one: dict[str, Any], *values: str, draws: Any = None) -> tuple[str, ...]:
    found = method(one, draws=LOTS if draws else {})
    return evaluated(found, priced(*values), draws=draws).members("p")


FIVE = ("3.00", "1.00", "3.00", "2.00", "2.00")


@pytest.mark.parametrize(
    ("by", "count", "taken"),
    [
        ({"highest": "price", "ties": "number"}, "1", "1"),
        ({"highest": "price", "ties": "number"}, "2", "13"),
        ({"highest": "price", "ties": "number"}, "3", "134"),
        ({"highest": "price", "ties": "all"}, "1", "13"),
        ({"highest": "price", "ties": "all"}, "3", "1345"),
        ({"highest": "price", "ties": "distinct"}, "2", "1345"),
        ({"lowest": "price", "ties": "number"}, "2", "24"),
        ({"lowest": "price", "ties": "all"}, "2", "245"),
        ({"lowest": "price", "ties": "distinct"}, "9", "12345"),
        ({"lowest": "price", "ties": "all"}, "0", ""),
        ({"lowest": "price", "ties": "all"}, "0 - 7", ""),
        ({"lowest": "price", "ties": "all"}, "99", "12345"),
    ],
)
def test_the_best_are_picked_with_or_without_their_equals(
    by: dict[str, Any], count: str, taken: str
):
    assert "".join(picked(pick(by, count), *FIVE)) == taken


def test_at_most_so_many_are_picked_whatever_is_equal():
    by = {"highest": "price", "ties": "distinct"}
    assert picked(pick(by, "2", at_most=3), *FIVE) == ("1", "3", "4")


def test_the_first_of_a_drawn_order_are_picked():
    taken = picked(pick({"drawn": "lots"}), *FIVE, draws={"lots": ["4", "2", "5", "1", "3"]})
    assert taken == ("2", "4")


def test_counting_off_takes_by_remainders_of_what_is_left():
    """z = 11 of five: number 1 (bid 2), then z = 10 of four: number 2 (bid 4)."""
    assert picked(pick({"start": "11", "less": "price"}), *FIVE) == ("2", "4")
    assert picked(pick({"start": "11.99", "less": "price"}), *FIVE) == ("2", "4")
    assert picked(pick({"start": "11", "less": "price"}, "99"), *FIVE) == tuple("12345")


def test_few_bids_are_not_picked_from_where_all_stay():
    by = {"lowest": "price", "ties": "all"}
    assert picked(pick(by, "1", few=FEW_ALL), "2.00", "1.00") == ("1", "2")


@pytest.mark.parametrize(
    ("by", "zh", "en"),
    [
        ({"drawn": "lots"}, "的抽签顺序", "in the drawn order of"),
        ({"highest": "price", "ties": "all"}, "由高到低（与末位相等的一并取入）", "highest first"),
        ({"lowest": "price", "ties": "number"}, "由低到高", "equal ones by number"),
        ({"start": "1", "less": "price"}, "余数", "z modulo how many are left"),
    ],
)
def test_a_pick_says_what_it_does(by: dict[str, Any], zh: str, en: str):
    found = method(pick(by, at_most=3), draws=LOTS if "drawn" in by else {})
    assert zh in explain(found, "zh")[-2]
    assert "最多3家" in explain(found, "zh")[-2]
    assert en in explain(found, "en")[-2]


# ---- joining and choosing


def both(condition: str) -> Derivation:
    return evaluated(
        method(
            step("low", "keep", from_="bids", where="price < 2"),
            step("high", "keep", from_="bids", where="price > 3"),
            step("joined", "join", of=["high", "low"]),
            step("chosen", "choose", cases=[{"when": condition, "set": "low"}], otherwise="joined"),
            rank("chosen"),
        ),
        priced("1.00", "2.00", "3.00", "4.00"),
    )


@pytest.mark.parametrize(("condition", "chosen"), [("1 < 2", ("1",)), ("2 < 1", ("1", "4"))])
def test_sets_are_joined_and_chosen(condition: str, chosen: tuple[str, ...]):
    derivation = both(condition)
    assert derivation.members("joined") == ("1", "4")
    assert derivation.members("chosen") == chosen
    assert [bid for _, bid in derivation.results.ranking] == sorted(chosen)


def test_a_number_of_a_set_can_be_used_wherever_that_set_is_sure():
    """What is known of ``valid`` is known of every set that was taken from it."""
    found = method(
        step("valid", "keep", from_="bids", where="price > 1"),
        step("x", "formula", over="valid", value="price * 2", round="none"),
        step("a", "keep", from_="valid", where="price < 5"),
        step("b", "keep", from_="valid", where="price >= 5"),
        step("ab", "join", of=["a", "b"]),
        step("c", "choose", cases=[{"when": "1 < 2", "set": "a"}], otherwise="ab"),
        rank("c", {"highest": "x"}),
    )
    derivation = evaluated(found, priced("1.00", "2.00", "9.00", "4.00"))
    assert derivation.results.ranking == ((1, "4"), (2, "2"))
    assert derivation.results.left_out == {"1": "valid"}


CONDITIONS = [
    ("not price > 2", "12"),
    ("price = 2 or price = 3", "23"),
    ("price != 2 and price != 3", "14"),
    ("1 < price <= 3", "23"),
    ("good", "13"),
    ("not good", "24"),
    ("grade = 'A'", "12"),
    ("grade != 'A' and good", "3"),
    ("in(some)", "34"),
    ("not (good or in(some))", "2"),
    ("n = 4 and good", "13"),
    ("n = 4 and 1 < 2", "1234"),
    ("min(price, 2) = 2", "234"),
    ("max(2, price) = 2", "12"),
    ("abs(price - 3) = 1", "24"),
    ("abs(0 - 3) = price", "3"),
    ("mod(price, 2) = 0", "24"),
    ("price / 3 = 1", "3"),
    ("-price < -3", "4"),
    ("price * 50% < 1", "1"),
    ("max(min(n, 3), 1) = price", "3"),
]


@pytest.mark.parametrize(("condition", "kept"), CONDITIONS)
def test_conditions_hold_for_whom_they_say(condition: str, kept: str):
    found = method(
        step("n", "count", of="bids"),
        step("some", "keep", from_="bids", where="price >= 3"),
        step("kept", "keep", from_="bids", where=condition),
        rank("kept"),
        fields={
            "price": number("1", "9"),
            "good": {"type": "flag", "name": TEXT},
            "grade": {"type": "choice", "name": TEXT, "words": ["A", "B"]},
        },
    )
    bids = priced("1", "2", "3", "4", good=[True, False] * 2, grade=["A", "A", "B", "B"])
    assert "".join(evaluated(found, bids).members("kept")) == kept
    assert all(explain(found, language)[-2] for language in ("zh", "en"))
