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
