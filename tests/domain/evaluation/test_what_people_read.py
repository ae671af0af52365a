"""What people read: sentences of a method, numbers beside fractions, and what a refusal advises."""

import json
from typing import Any

import pytest

from server.domain.evaluation.methods import (
    Misplaced,
    approximate,
    bids_of,
    draws_of,
    explain,
    parse_bids,
    parse_draws,
    parse_method,
    render,
    replay,
)
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
    step,
)
from tests.domain.evaluation.refused_parts import formula

SAME = {"0": "same", "1": "same", "2": "same"}
UP = {"mode": "up", "digits": 0}
MIDDLE = {"middle": {"keep": 5, "odd": "highest"}}
MARKS = {
    "type": "scores",
    "name": TEXT,
    "experts": {"min": 1, "max": 9},
    "digits": 1,
    "criteria": [{"id": "plan", "name": TEXT, "full": "20"}],
}


# ---- roles and fractions


def two_roles() -> Any:
    x = step("x", "formula", over="bids", value="price / 7", round="none")
    b = step("B", "formula", value="2 / 3", round="none")
    roles = {"price_score": "x", "score": "x", "deviation": "x", "benchmark": "B"}
    return evaluated(method(x, b, rank(), shows=roles), priced("1.00", "7.00"))


def test_a_step_in_several_roles_is_shown_in_each():
    shown = two_roles().results.shown
    column = {"1": "1/7", "2": "1"}
    assert shown == dict.fromkeys(("price_score", "score", "deviation"), column) | {
        "benchmark": "2/3"
    }


def test_people_see_about_how_much_a_fraction_is_and_the_record_does_not():
    derivation = two_roles()
    printed = render(derivation, "zh")
    assert "| 1 | 1/7 ≈ 14.29% |" in printed
    assert "| 2 | 1 |" in printed
    assert "结果：2/3 ≈ 0.66667" in printed
    assert "≈" not in derivation.to_json().decode()


@pytest.mark.parametrize(
    ("text", "percent", "said"),
    [
        ("61.5", True, "61.5"),
        ("", False, ""),
        ("3023/229477", True, "3023/229477 ≈ 1.32%"),
        ("-1/3", False, "-1/3 ≈ -0.33333"),
        ("100000000/3", False, "100000000/3 ≈ 33333333.3333"),
    ],
)
def test_a_fraction_has_its_value_beside_it(text: str, percent: bool, said: str):
    assert approximate(text, percent=percent) == said


# ---- sentences


def said_of(*steps: dict[str, Any], **members: Any) -> str:
    return explain(method(*steps, **members), "zh")[-2]


def trimmed(drop: dict[str, Any], few: dict[str, str] = SAME) -> str:
    return said_of(step("t", "trim", from_="bids", value="price", drop=drop, equal="one", few=few))


def test_bids_are_counted_in_words():
    assert "取居中的5家，应去掉的家数为奇数时，最高端多去掉一家；不足5家时" in trimmed(MIDDLE)
    rows = [{"from": 4, "highest": 0, "lowest": 1}, {"from": 6, "highest": 2, "lowest": 1}]
    assert "4至5家时去掉最低的1家；6家及以上时去掉最高的2家、最低的1家" in trimmed({"table": rows})
    ends = trimmed(MIDDLE, {"0": "fail", "1": "same", "2": "same"})
    assert "没有投标时评标终止；仅有一家、两家时仍按本条办理" in ends
    assert "没有投标或仅有两家时" in trimmed(MIDDLE, {"0": "same", "1": "all", "2": "same"})


def test_marks_are_not_counted_as_bids():
    experts = step(
        "s", "experts", over="bids", scores="marks", by="expert", drop=MIDDLE, average="none"
    )
    assert "取居中的5个，应去掉的个数为奇数时，最高端多去掉一个" in said_of(
        experts | {"round": HALF_UP_2}, fields={"price": money(), "marks": MARKS}
    )


def sloped(above: str, below: str, points: str = "1", units: Any = UP, floor: str = "0") -> str:
    sides = {
        "above": {"per": above, "points": "2"},
        "below": {"per": below, "points": points},
    }
    plain = {"units": units, "deduction": "none", "round": HALF_UP_2}
    slope = step("s", "slope", over="bids", value="price - 100", full="60", floor=floor)
    return said_of(slope | sides | plain)


def test_a_started_unit_is_named_and_a_floor_of_zero_is_the_end_of_deducting():
    assert "不足1%的按1%计；扣完为止；" in sloped("1%", "1%")
    assert "不足2%的按2%计、不足1%的按1%计" in sloped("2%", "1%")
    assert "不足1%的不计" in sloped("1%", "1%", units={"mode": "truncate", "digits": 0})
    assert "最低0分" in sloped("1%", "1%", points="-1")
    assert "最低5分" in sloped("1%", "1%", floor="5")


# ---- advice


def advice(found: pytest.ExceptionInfo[Misplaced]) -> str:
    return str(found.value)


PRICED = method(
    step("B", "formula", value="K * 1", round=HALF_UP_2),
    fields={"price": money(min="1000000.00", max="9000000000.00"), "x": number("0", "1", 2)},
    draws={
        "K": {
            "type": "one",
            "name": TEXT,
            "label": "k",
            "from": "0.900",
            "to": "0.980",
            "step": "0.005",
        }
    },
)


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (
            '"985.00"',
            "985.00, allowed 1000000.00 to 9000000000.00 (in yuan; is this 万元?)",
        ),
        ('"9.00"', "bid A7: 9.00, allowed 1000000.00 to 9000000000.00"),
        ("9850000.0", '9850000.0 must be written as text: "9850000.00"'),
        ("985.125", '985.125 must be written as text: "985.125"'),
        ("1e400", 'must be written as text: a plain decimal number like "0.95"'),
    ],
)
def test_a_price_in_another_unit_or_spelling_is_told_what_to_write(price: str, said: str):
    document = raw({"bids": [{"id": "A7", "price": 1, "x": "0"}]})
    with pytest.raises(Misplaced) as found:
        parse_bids(PRICED, document.replace(b'"price": 1', f'"price": {price}'.encode()))
    assert advice(found).endswith(said)


@pytest.mark.parametrize(
    ("bid", "said"),
    [
        ({"Price": "1"}, "allowed: id, price, x, name"),
        ({"price": "1000000.00", "x": "1.01"}, "bid 1: 1.01, allowed 0.00 to 1.00"),
    ],
)
def test_a_member_and_a_number_are_told_what_is_allowed(bid: dict[str, str], said: str):
    with pytest.raises(Misplaced) as found:
        bids_of(PRICED, {"bids": [{"id": "1", **bid}]})
    assert said in advice(found)


@pytest.mark.parametrize(
    ("draws", "code", "said"),
    [
        ({"K": "0.9"}, "unknown_member", "no draw has the label K; expected: k"),
        ({"k": "0.967"}, "choice", "0.967 could not be drawn; possible: 0.9, 0.905, 0.91, "),
        ({"k": "0.967"}, "choice", "0.95, 0.955, …"),
    ],
)
def test_a_wrong_draw_is_told_what_could_be_drawn(draws: Any, code: str, said: str):
    with pytest.raises(Misplaced) as found:
        draws_of(PRICED, bids_of(PRICED, {"bids": []}), draws)
    assert (found.value.code, said in advice(found)) == (f"draws.{code}", True)


def test_a_method_that_draws_nothing_says_so():
    found_method = method()
    with pytest.raises(Misplaced, match="this method draws nothing"):
        parse_draws(found_method, bids_of(found_method, {"bids": []}), b'{"k": "1"}')


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("2 × 3", "character 3: × cannot be read; write *"),
        ("（1 + 2)", "character 1: （ cannot be read; write ("),
        ("1 ＋ 2", "character 3: ＋ cannot be read; write +"),
        ("１ + 2", "character 1: １ cannot be read; write 1"),
        ("1\u3000+ 2", "character 2: U+3000 cannot be read; write a blank"),
        ("报价", "character 1: 报 cannot be read; a name has letters a to z"),
        ("1 ? 2", "character 3: ? cannot be read"),
        ("1\u200b", "character 2: U+200B cannot be read"),
    ],
)
def test_a_sign_that_cannot_be_read_is_shown_with_the_one_to_write(expression: str, said: str):
    with pytest.raises(Misplaced) as found:
        method(formula(expression))
    assert (found.value.code, said in advice(found)) == ("method.expression", True)


def test_a_comparison_in_full_width_is_told_its_spelling():
    with pytest.raises(Misplaced, match="＞ cannot be read; write >"):
        method(step("k", "keep", from_="bids", where="price ＞ 1"))


def test_a_step_that_names_itself_and_weights_that_miss_are_told_plainly():
    with pytest.raises(Misplaced, match="B needs itself"):
        method(step("B", "formula", value="B + 1", round="none"))
    parts = [{"value": "price", "weight": "60%"}, {"value": "price", "weight": "30%"}]
    with pytest.raises(Misplaced, match=r"they add up to 0.9, not to 1 \(sum_to\)"):
        method(step("s", "total", over="bids", parts=parts, sum_to="1", round=HALF_UP_2))


def test_an_example_that_does_not_follow_is_told_both_values():
    document: Any = delivered("low-price-mean-k").document
    document = json.loads(json.dumps(document))
    document["example"]["expect"]["values"] = {"B": "1.00"}
    with pytest.raises(Misplaced, match=r"the steps follows \d+\.\d\d, the document says 1\."):
        parse_method(raw(document))


def test_a_derivation_in_another_spelling_is_told_that_its_values_are_the_same():
    found_method = method()
    derivation = evaluated(found_method, priced("1.00"))
    with pytest.raises(Misplaced, match="same values, but not the bytes that --json printed"):
        replay(json.dumps(derivation.as_json(), indent=2).encode())
