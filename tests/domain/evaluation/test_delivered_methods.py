"""Each delivered method: its own example follows, replays, and reads in both languages."""

import pytest

from server.domain.evaluation.methods import (
    LANGUAGES,
    evaluate,
    example_of,
    explain,
    parse_method,
    render,
    replay,
)
from tests.domain.evaluation.documents import DELIVERED, delivered, delivered_names

every_method = pytest.mark.parametrize("name", delivered_names())


@every_method
def test_a_delivered_method_has_an_example_that_follows_and_replays(name: str):
    method = parse_method((DELIVERED / f"{name}.json").read_bytes())
    inputs = example_of(method)
    assert inputs is not None
    derivation = evaluate(method, *inputs)
    assert derivation.results.ranked
    printed = derivation.to_json()
    assert replay(printed) == printed
    assert evaluate(method, *inputs).to_json() == printed


@every_method
@pytest.mark.parametrize("language", LANGUAGES)
def test_its_last_line_is_the_ranking(name: str, language: str):
    method = delivered(name)
    inputs = example_of(method)
    assert inputs is not None
    derivation = evaluate(method, *inputs)
    last = render(derivation, language).rstrip("\n").splitlines()[-1]
    assert last.startswith("排序：" if language == "zh" else "Ranking: ")
    order = [last.index(f". {bid}") for _, bid in derivation.results.ranking[:1]]
    assert order == sorted(order)
    assert derivation.lines[-1].step.head.kind == "rank"


@every_method
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unconfirmed_method_says_so_on_everything(name: str, language: str):
    method = delivered(name)
    inputs = example_of(method)
    assert inputs is not None
    mark = "未经确认" if language == "zh" else "Unconfirmed"
    printed = render(evaluate(method, *inputs), language)
    assert (mark in printed) is not method.confirmed
    assert (mark in "\n".join(explain(method, language))) is not method.confirmed


def test_what_every_bid_brought_is_printed_with_the_marks_of_each_expert():
    method = delivered("procurement-low-price-first")
    inputs = example_of(method)
    assert inputs is not None
    printed = render(evaluate(method, *inputs), "zh").splitlines()
    assert "| 投标 | 投标报价 | 小微企业 |" in printed
    assert "| 2 | 950000.00 | 是 |" in printed
    assert "| 投标 | 技术指标 | 服务方案 | 业绩 |" in printed
    assert "| 1 | 35 / 36 / 34.5 | 16 / 17 / 16 | 8 / 8 / 8 |" in printed


def test_the_expressway_chain_reads_like_its_clauses():
    said = "\n".join(explain(delivered("highway-expressway-chain"), "zh"))
    assert (
        "限价权重f = 较小者（较大者（（入选报价之和P除以6的余数） × 4% + 20%，20%），40%）" in said
    )
    assert "入选家数n > 5时，为（入选报价之和P除以5的余数） + 1" in said
