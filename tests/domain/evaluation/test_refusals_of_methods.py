"""What a method may not say: each refusal has its code and the place."""

import json
from typing import Any

import pytest

from server.domain.evaluation.methods import Misplaced, parse_method
from server.domain.evaluation.methods.reading import DEPTH_MAX
from server.domain.evaluation.methods.refusing import REASONS
from server.domain.evaluation.methods.schema import METHOD_BYTES_MAX, STEPS_MAX
from tests.domain.evaluation.documents import (
    FEW,
    HALF_UP_2,
    SAME,
    TEXT,
    method_value,
    money,
    number,
    priced,
    rank,
    raw,
    refused,
    step,
)

B = step("B", "mean", of="bids", value="price", round=HALF_UP_2, few=FEW)


def formula(value: Any, step_id: str = "x", **members: Any) -> dict[str, Any]:
    return step(step_id, "formula", value=value, round="none") | members


def each(value: Any, over: str = "bids", step_id: str = "x") -> dict[str, Any]:
    return formula(value, step_id, over=over)


def keep(where: str, step_id: str = "valid", from_: str = "bids") -> dict[str, Any]:
    return step(step_id, "keep", from_=from_, where=where)


def trim(drop: Any, few: Any = SAME) -> dict[str, Any]:
    return step("t", "trim", from_="bids", value="price", drop=drop, equal="one", few=few)


def slope(**members: Any) -> dict[str, Any]:
    side = {"per": "1%", "points": "1"}
    every = {"value": "price / 100", "full": "60", "above": side, "below": side}
    rounds = {"units": "none", "deduction": "none", "round": HALF_UP_2}
    return step("s", "slope", over="bids") | every | rounds | members


def total(*parts: Any, sum_to: str = "100") -> dict[str, Any]:
    return step("s", "total", over="bids", parts=list(parts), sum_to=sum_to, round=HALF_UP_2)


def pick(**members: Any) -> dict[str, Any]:
    every: dict[str, Any] = {"count": "1", "round": {"mode": "up", "digits": 0}, "few": SAME}
    return step("p", "pick", from_="bids", by={"lowest": "price", "ties": "all"}) | every | members


def table(*rows: tuple[int, int, int]) -> dict[str, Any]:
    return {"table": [{"from": n, "highest": h, "lowest": low} for n, h, low in rows]}


WHOLE = {"mode": "up", "digits": 0}
MARKS = {
    "type": "scores",
    "name": TEXT,
    "experts": {"min": 1, "max": 9},
    "digits": 1,
    "criteria": [{"id": "a", "name": TEXT, "full": "10"}, {"id": "b", "name": TEXT, "full": "5"}],
}
EXPERTS: dict[str, Any] = {
    "over": "bids",
    "scores": "marks",
    "by": "criterion",
    "drop": table((1, 0, 0)),
    "average": HALF_UP_2,
    "round": HALF_UP_2,
}
K = {"type": "one", "name": TEXT, "label": "k", "of": ["0.95", "0.96"]}
LOTS = {"type": "order", "name": TEXT, "label": "lots"}
PRICE = {"price": money()}
CLASS = {"type": "choice", "name": TEXT, "words": ["A", "B"]}
FLAG = {"type": "flag", "name": TEXT}
BIG = number("0", "1000000000000000000")
EXAMPLE = {"figures": "computed", "bids": priced("1.00", "2.00"), "expect": {"ranking": ["1", "2"]}}


def fields(**more: Any) -> dict[str, Any]:
    return {"fields": PRICE | more}


def given(**more: Any) -> dict[str, Any]:
    return {"given": more}


def draws(**more: Any) -> dict[str, Any]:
    return {"draws": more}


REFUSED: dict[str, tuple[list[Any], dict[str, Any], str, str]] = {
    # the document
    "another version": ([], {"kaibiao_method": 2}, "range", "kaibiao_method"),
    "an unknown member": ([], {"extra": 1}, "unknown_member", "extra"),
    "a hidden character in a name": ([], {"a\u200bb": 1}, "unknown_member", '["a�b"]'),
    "no status it knows": ([], {"status": "sure"}, "choice", "status"),
    "a version that is no integer": ([], {"version": "1"}, "type", "version"),
    "a version that is true": ([], {"version": True}, "type", "version"),
    "an id in capitals": ([], {"id": "CN"}, "text", "id"),
    "a name in one language": ([], {"name": {"zh": "名"}}, "missing", "name.en"),
    "a name that is a text": ([], {"name": "名"}, "type", "name"),
    "an empty name": ([], {"name": {"zh": "", "en": "x"}}, "text", "name.zh"),
    "a hidden character": ([], {"name": {"zh": "名\u200b", "en": "x"}}, "text", "name.zh"),
    "no source": ([], {"source": []}, "size", "source"),
    "a source that is an object": ([], {"source": {}}, "type", "source"),
    "no fields": ([], {"fields": []}, "type", "fields"),
    "a role nobody knows": ([], {"shows": {"winner": "price"}}, "unknown_member", "shows.winner"),
    "a role that is a set": (
        [keep("price > 1")],
        {"shows": {"score": "valid"}},
        "wrong_name",
        "shows.score",
    ),
    # names
    "a name that is no identifier": ([], fields(报价=money()), "text", "fields.报价"),
    "a name with a meaning": ([], fields(min=money()), "text", "fields.min"),
    "a step with a meaning": ([formula("1", "and")], {}, "text", "steps[0].id"),
    "a step like a field": ([formula("1", "price")], {}, "twice", "steps[0].id"),
    "a requirement like a field": (
        [step("price", "require", condition="1 < 2")],
        {},
        "twice",
        "steps[0].id",
    ),
    "two steps alike": ([formula("1"), formula("2")], {}, "twice", "steps[1].id"),
    "a field like what is given": ([], given(price=money()), "twice", "fields.price"),
    "a set like all bids": ([keep("price > 1", "bids")], {}, "twice", "steps[0].id"),
    "a step nobody made": ([formula("y")], {}, "unknown_name", "steps[0].value"),
    "a set nobody made": ([], {"steps": [rank("valid")]}, "unknown_name", "steps[0].of"),
    # fields
    "a field without a type": ([], fields(x={"name": TEXT}), "missing", "fields.x.type"),
    "a field of another type": ([], fields(x={"type": "float"}), "choice", "fields.x.type"),
    "money with a float limit": ([], fields(x=money() | {"min": 1.5}), "number", "fields.x.min"),
    "money with a short limit": ([], fields(x=money(min="1.5")), "number", "fields.x.min"),
    "money with min above max": (
        [],
        fields(x=money(min="2.00", max="1.00")),
        "range",
        "fields.x.max",
    ),
    "a number with min above max": ([], fields(x=number("2", "1")), "range", "fields.x.max"),
    "a number of many digits": ([], fields(x=number("0", "1", 13)), "range", "fields.x.digits"),
    "a number like -0": ([], fields(x=number("-0", "1")), "number", "fields.x.min"),
    "a choice given with the tender": ([], given(x=CLASS), "choice", "given.x.type"),
    "a choice with a word twice": (
        [],
        fields(x=CLASS | {"words": ["A", "A"]}),
        "twice",
        "fields.x.words",
    ),
    "a criterion twice": (
        [],
        fields(x=MARKS | {"criteria": [MARKS["criteria"][0]] * 2}),
        "twice",
        "fields.x.criteria[1].id",
    ),
    "a criterion without marks": (
        [],
        fields(x=MARKS | {"criteria": [{"id": "a", "name": TEXT, "full": "0"}]}),
        "range",
        "fields.x.criteria[0].full",
    ),
    "fewer experts than the least": (
        [],
        fields(x=MARKS | {"experts": {"min": 5, "max": 3}}),
        "range",
        "fields.x.experts.max",
    ),
    # draws
    "a draw nothing uses": ([], draws(K=K), "never_drawn", "draws.K"),
    "two draws under a label": ([], draws(K=K, L=K), "twice", "draws.L.label"),
    "a label in capitals": ([], draws(K=K | {"label": "K"}), "text", "draws.K.label"),
    "a value twice": ([], draws(K=K | {"of": ["0.95", "95%"]}), "twice", "draws.K.of"),
    "a draw of another type": ([], draws(K=K | {"type": "two"}), "choice", "draws.K.type"),
    "a draw with steps that miss its end": (
        [],
        draws(K={"type": "one", "name": TEXT, "label": "k", "from": "0", "to": "1", "step": "0.3"}),
        "range",
        "draws.K.step",
    ),
    "a draw with steps of nothing": (
        [],
        draws(K={"type": "one", "name": TEXT, "label": "k", "from": "0", "to": "1", "step": "0"}),
        "range",
        "draws.K.step",
    ),
    "a number used as an order": (
        [],
        draws(K=K) | {"steps": [rank("bids", {"drawn": "K"})]},
        "wrong_name",
        "steps[0].by[0].drawn",
    ),
    "an order used as a number": (
        [formula("lots")],
        draws(lots=LOTS),
        "wrong_name",
        "steps[0].value",
    ),
    # steps
    "no ranking at the end": ([], {"steps": [B]}, "no_ranking", "steps[0].do"),
    "a ranking before the end": ([], {"steps": [rank(), B]}, "no_ranking", "steps[0].do"),
    "a step without a kind": ([], {"steps": [{"id": "x"}]}, "missing", "steps[0].do"),
    "a kind nobody knows": ([step("x", "loop")], {}, "choice", "steps[0].do"),
    "no clause": (
        [],
        {"steps": [{"id": "x", "do": "rank", "name": TEXT}]},
        "missing",
        "steps[0].clause",
    ),
    "no rounding": ([step("x", "formula", value="1")], {}, "missing", "steps[0].round"),
    "a rounding that is a word": ([formula("1", round="up")], {}, "choice", "steps[0].round"),
    "a mode nobody knows": (
        [formula("1", round={"mode": "bank", "digits": 2})],
        {},
        "choice",
        "steps[0].round.mode",
    ),
    "too many digits": (
        [formula("1", round={"mode": "up", "digits": 13})],
        {},
        "range",
        "steps[0].round.digits",
    ),
    "a step that needs itself": ([formula("x + 1")], {}, "cycle", "steps[0]"),
    "two steps that need each other": (
        [formula("y", "x"), formula("z", "y"), formula("x", "z")],
        {},
        "cycle",
        "steps[0]",
    ),
    "a step that needs a later one": (
        [formula("y", "x"), formula("1", "y")],
        {},
        "later",
        "steps[0]",
    ),
    # expressions
    "an expression that is a number": ([formula(1)], {}, "type", "steps[0].value"),
    "an empty expression": ([formula("")], {}, "expression", "steps[0].value"),
    "a blank expression": ([formula(" ")], {}, "expression", "steps[0].value"),
    "a long expression": ([formula("1" + "+1" * 300)], {}, "expression", "steps[0].value"),
    "an open bracket": ([formula("(1 + 2")], {}, "expression", "steps[0].value"),
    "something after the end": ([formula("1 2")], {}, "expression", "steps[0].value"),
    "a power": ([formula("2 ** 2")], {}, "expression", "steps[0].value"),
    "a call": ([formula("exec('x')")], {}, "expression", "steps[0].value"),
    "a full-width digit": ([formula("１")], {}, "expression", "steps[0].value"),
    "a sign nobody knows": ([formula("1 ; 2")], {}, "expression", "steps[0].value"),
    "nothing after a sign": ([formula("1 +")], {}, "expression", "steps[0].value"),
    "many brackets": ([formula("(" * 20 + "1" + ")" * 20)], {}, "expression", "steps[0].value"),
    "many signs": ([formula("-" * 50 + "1")], {}, "expression", "steps[0].value"),
    "many denials": ([keep("not " * 50 + "price > 1")], {}, "expression", "steps[0].where"),
    "one value for min": ([formula("min(1)")], {}, "expression", "steps[0].value"),
    "a set that is no name": ([keep("in(1)")], {}, "expression", "steps[0].where"),
    "a condition as a number": ([formula("1 < 2")], {}, "expression", "steps[0].value"),
    "a number as a condition": ([keep("price")], {}, "wrong_name", "steps[0].where"),
    "a sum as a condition": ([keep("price + 1")], {}, "expression", "steps[0].where"),
    "a word as a number": ([keep("price > 'A'")], fields(c=CLASS), "expression", "steps[0].where"),
    "a word of nothing": ([keep("price = 'A'")], {}, "wrong_name", "steps[0].where"),
    "a word nobody has": ([keep("c = 'C'")], fields(c=CLASS), "choice", "steps[0].where"),
    "a choice as a number": ([each("c + 1")], fields(c=CLASS), "wrong_name", "steps[0].value"),
    "a price where one number is": ([formula("price")], {}, "outside", "steps[0].value"),
    "a flag where one number is": (
        [step("r", "require", condition="f")],
        fields(f=FLAG),
        "outside",
        "steps[0].condition",
    ),
    "membership where one number is": (
        [step("r", "require", condition="in(bids)")],
        {},
        "outside",
        "steps[0].condition",
    ),
    "a word where one number is": (
        [step("r", "require", condition="c = 'A'")],
        fields(c=CLASS),
        "outside",
        "steps[0].condition",
    ),
    "membership of a number": ([B, keep("in(B)")], {}, "wrong_name", "steps[1].where"),
    "a score some bids do not have": (
        [keep("price > 1"), each("price", "valid"), each("x", "bids", "y")],
        {},
        "outside",
        "steps[2].value",
    ),
    "a column of a set some bids are not in": (
        [
            keep("price > 1", "a"),
            keep("price > 2", "b"),
            each("price", "a"),
            step("m", "mean", of="b", value="x", round=HALF_UP_2, few=FEW),
        ],
        {},
        "outside",
        "steps[3].value",
    ),
    # arithmetic
    "a division by zero": ([formula("1 / 0")], {}, "by_zero", "steps[0].value"),
    "a division by what can be zero": ([each("1 / (price - 5)")], {}, "by_zero", "steps[0].value"),
    "a remainder of what can be zero": (
        [each("mod(1, price - 5)")],
        {},
        "by_zero",
        "steps[0].value",
    ),
    "a division by a count": (
        [step("n", "count", of="bids"), formula("1 / n")],
        {},
        "by_zero",
        "steps[1].value",
    ),
    "a number too large": (
        [each("x * x * x", step_id="y")],
        fields(x=BIG),
        "too_large",
        "steps[0].value",
    ),
    "a condition too large": (
        [keep("x * x * x > 1")],
        fields(x=BIG),
        "too_large",
        "steps[0].where",
    ),
    "a sum too large": (
        [each("x * x", step_id="y"), step("s", "sum", of="bids", value="y")],
        fields(x=BIG),
        "too_large",
        "steps[1].value",
    ),
    "a slope too large": (
        [slope(value="x * x", round="none")],
        fields(x=BIG),
        "too_large",
        "steps[0].value",
    ),
    "a total too large": (
        [
            each("x * x", step_id="y"),
            total(
                {"value": "y", "full": "1"},
                *[{"value": "y", "full": "1"}] * 60,
                {"value": "y", "full": "39"},
            ),
        ],
        fields(x=number("0", "99999999999999999")),
        "",
        "",
    ),
    "a mean of quotients": (
        [each("1 / price"), step("m", "mean", of="bids", value="x", round=HALF_UP_2, few=FEW)],
        {},
        "unrounded",
        "steps[1].value",
    ),
    "counting off by quotients": (
        [each("1 / price"), pick(by={"start": "1", "less": "x"})],
        {},
        "unrounded",
        "steps[1].by.less",
    ),
    # few
    "nothing said of none": (
        [step("m", "mean", of="bids", value="price", round="none", few={"1": "same", "2": "same"})],
        {},
        "missing",
        "steps[0].few.0",
    ),
    "the same rule for a mean of none": (
        [step("m", "mean", of="bids", value="price", round="none", few=SAME)],
        {},
        "empties",
        "steps[0].few.0",
    ),
    "an expression where bids are kept": (
        [trim(table((1, 0, 0)), FEW | {"0": "1"})],
        {},
        "choice",
        "steps[0].few.0",
    ),
    # dropping
    "a table that leaves nothing of one": (
        [trim(table((1, 1, 0)))],
        {},
        "empties",
        "steps[0].drop.table",
    ),
    "a table that leaves nothing of four": (
        [trim(table((4, 2, 2)))],
        {},
        "empties",
        "steps[0].drop.table",
    ),
    "a table that drops all there could be": (
        [trim(table((1000, 999, 1)))],
        {},
        "empties",
        "steps[0].drop.table[0]",
    ),
    "a table that goes back": (
        [trim(table((5, 1, 1), (4, 0, 0)))],
        {},
        "range",
        "steps[0].drop.table[1].from",
    ),
    "two ways of dropping": (
        [trim({**table((1, 0, 0)), "middle": {"keep": 5, "odd": "lowest"}})],
        {},
        "missing",
        "steps[0].drop",
    ),
    "shares above all": (
        [trim({"share": {"highest": "50%", "lowest": "50%", "round": WHOLE}})],
        {},
        "range",
        "steps[0].drop.share",
    ),
    "shares that leave nothing of one": (
        [trim({"share": {"highest": "10%", "lowest": "0%", "round": WHOLE}})],
        {},
        "empties",
        "steps[0].drop.share",
    ),
    "a share of bids with decimals": (
        [trim({"share": {"highest": "10%", "lowest": "0%", "round": HALF_UP_2}})],
        {},
        "range",
        "steps[0].drop.share.round",
    ),
    # kinds
    "an outlier of what can be below zero": (
        [
            each("price - 100"),
            step(
                "o",
                "outlier",
                from_="bids",
                value="x",
                side="both",
                more_than="15%",
                inclusive=True,
                few=SAME,
            ),
        ],
        {},
        "range",
        "steps[1].value",
    ),
    "an outlier by nothing": (
        [
            step(
                "o",
                "outlier",
                from_="bids",
                value="price",
                side="both",
                more_than="0",
                inclusive=True,
                few=SAME,
            )
        ],
        {},
        "range",
        "steps[0].more_than",
    ),
    "an outlier that is perhaps": (
        [
            step(
                "o",
                "outlier",
                from_="bids",
                value="price",
                side="both",
                more_than="1",
                inclusive=1,
                few=SAME,
            )
        ],
        {},
        "type",
        "steps[0].inclusive",
    ),
    "half a bid picked": ([pick(round=HALF_UP_2)], {}, "range", "steps[0].round"),
    "picked in no way": ([pick(by={"lowest": "price"})], {}, "missing", "steps[0].by"),
    "picked by a number": ([pick(by={"drawn": "price"})], {}, "wrong_name", "steps[0].by.drawn"),
    "joined with itself alone": ([step("j", "join", of=["bids"])], {}, "size", "steps[0].of"),
    "a case without a condition": (
        [step("c", "cases", cases=[{"value": "1"}], otherwise="1", round="none")],
        {},
        "missing",
        "steps[0].cases[0]",
    ),
    "a case of a set for all": (
        [step("c", "cases", cases=[{"in": "bids", "value": "1"}], otherwise="1", round="none")],
        {},
        "outside",
        "steps[0].cases[0].in",
    ),
    "a lookup of a number": (
        [step("l", "lookup", over="bids", by="price", gives={})],
        {},
        "wrong_name",
        "steps[0].by",
    ),
    "a lookup that lacks a word": (
        [step("l", "lookup", over="bids", by="c", gives={"A": "1"})],
        fields(c=CLASS),
        "missing",
        "steps[0].gives.B",
    ),
    "a slope per nothing": (
        [slope(above={"per": "0%", "points": "1"})],
        {},
        "range",
        "steps[0].above.per",
    ),
    "a slope of more than all points": ([slope(full="10001")], {}, "range", "steps[0].full"),
    "a floor above the cap": ([slope(floor="10", cap="5")], {}, "range", "steps[0].floor"),
    "a floor finer than the score": ([slope(floor="0.001")], {}, "range", "steps[0].floor"),
    "marks that are no marks": (
        [step("e", "experts", **(EXPERTS | {"scores": "price"}))],
        {},
        "wrong_name",
        "steps[0].scores",
    ),
    "a criterion counted twice": (
        [step("e", "experts", **EXPERTS, criteria=["a", "a"])],
        fields(marks=MARKS),
        "twice",
        "steps[0].criteria",
    ),
    "a criterion nobody marks": (
        [step("e", "experts", **EXPERTS, criteria=["z"])],
        fields(marks=MARKS),
        "choice",
        "steps[0].criteria[0]",
    ),
    "means added before they are rounded": (
        [step("e", "experts", **(EXPERTS | {"average": "none"}))],
        fields(marks=MARKS),
        "unrounded",
        "steps[0].average",
    ),
    "weights of 90 percent": (
        [
            total(
                {"value": "price", "weight": "50%"},
                {"value": "price", "weight": "40%"},
                sum_to="100%",
            )
        ],
        {},
        "weights",
        "steps[0].sum_to",
    ),
    "full marks of 90": (
        [total({"value": "price", "full": "90"})],
        {},
        "weights",
        "steps[0].sum_to",
    ),
    "a weight beside full marks": (
        [total({"value": "price", "weight": "1"}, {"value": "price", "full": "99"})],
        {},
        "unknown_member",
        "steps[0].parts[1].full",
    ),
    "a weight below zero": (
        [total({"value": "price", "weight": "-1"})],
        {},
        "range",
        "steps[0].parts[0].weight",
    ),
    "a part that is a text": ([total("price")], {}, "type", "steps[0].parts[0]"),
    "a ranking by two at once": (
        [],
        {"steps": [rank("bids", {"lowest": "price", "highest": "price"})]},
        "missing",
        "steps[0].by[0]",
    ),
    "a ranking by one number": (
        [],
        {"steps": [B, rank("bids", {"lowest": "B"})]},
        "wrong_name",
        "steps[1].by[0].lowest",
    ),
    # the example
    "an example that does not follow": (
        [],
        {"example": EXAMPLE | {"expect": {"ranking": ["2", "1"]}}},
        "example",
        "example.expect.ranking",
    ),
    "an example of a step nobody made": (
        [],
        {"example": EXAMPLE | {"expect": {"ranking": ["1", "2"], "values": {"x": "1"}}}},
        "unknown_name",
        "example.expect.values.x",
    ),
    "an example whose number does not follow": (
        [B],
        {"example": EXAMPLE | {"expect": {"ranking": ["1", "2"], "values": {"B": "1.51"}}}},
        "example",
        "example.expect.values.B",
    ),
    "an example with a float": ([], {"example": {"bids": [0.5]}}, "number", "example.bids[0]"),
    "an example with a bad price": (
        [],
        {"example": EXAMPLE | {"bids": priced("1.0")}},
        "number",
        "example.bids[0].price",
    ),
    "an example of unknown figures": (
        [],
        {"example": EXAMPLE | {"figures": "guessed"}},
        "choice",
        "example.figures",
    ),
    "an example with a text in one language": (
        [],
        {"example": EXAMPLE | {"about": {"zh": "例"}}},
        "missing",
        "example.about.en",
    ),
}
del REFUSED["a total too large"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_method_is_refused_with_code_and_place(name: str):
    steps, members, reason, place = REFUSED[name]
    with pytest.raises(Misplaced) as found:
        parse_method(raw(method_value(*steps, **members)))
    assert refused(found.value) == (f"method.{reason}", place)


def test_every_reason_of_a_method_is_shown():
    shown = {reason for _, _, reason, _ in REFUSED.values()}
    of_others = {"size", "utf8", "depth", "syntax", "differs"}
    assert shown | of_others == set(REASONS)


DEEP = b"[" * 100_000
BYTES = {
    "nothing": (b"", "syntax", "line 1 column 1"),
    "half a document": (b'{"a": ', "syntax", "line 1 column 7"),
    "not UTF-8": (b'{"a": "\xff"}', "utf8", "byte 7"),
    "deep nesting": (DEEP, "depth", f"character {DEPTH_MAX}"),
    "a hundred thousand quotes": (b'"' * 100_001, "syntax", "line 1 column 3"),
    "a list": (b"[]", "type", ""),
    "a number": (b"1", "type", ""),
    "a float": (b"1.5", "number", ""),
    "a huge integer": (b"9" * 200_000, "number", ""),
    "not a number": (b"NaN", "number", ""),
    "a member twice": (b'{"a": 1, "a": 2}', "twice", ""),
    "a huge document": (b" " * (METHOD_BYTES_MAX + 1), "size", ""),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_document_are_refused(name: str):
    given_bytes, reason, place = BYTES[name]
    with pytest.raises(Misplaced) as found:
        parse_method(given_bytes)
    assert refused(found.value) == (f"method.{reason}", place)


def test_a_million_steps_are_refused_before_they_are_read():
    many = [formula("1", f"x{i}") for i in range(STEPS_MAX)]
    with pytest.raises(Misplaced) as found:
        parse_method(raw(method_value(*many)))
    assert refused(found.value) == ("method.size", "steps")


def test_numbers_that_double_with_every_step_are_refused_before_anything_is_computed():
    steps = [each("1 / (price + 3)", step_id="x0")]
    steps += [each(f"x{i} * x{i}", step_id=f"x{i + 1}") for i in range(60)]
    with pytest.raises(Misplaced) as found:
        parse_method(raw(method_value(*steps)))
    assert found.value.code == "method.too_large"


def test_blanks_and_order_of_members_are_free_but_the_digest_is_of_the_value():
    value = method_value()
    turned = dict(reversed(list(value.items())))
    loose = json.dumps(turned, ensure_ascii=True, indent=7).encode("utf-8-sig")
    assert parse_method(loose).digest == parse_method(raw(value)).digest
