"""docs/methods.md is enough to write a method: it names everything, and what it shows is so."""

import json
import re
from pathlib import Path

import pytest

from server.domain.evaluation.methods import evaluate, example_of, needed_draws, parse_method
from server.domain.evaluation.methods.numbers import MODES
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.refusing import REASONS, Misplaced
from server.domain.evaluation.methods.schema import ROLES
from server.domain.evaluation.methods.steps import KINDS
from server.domain.evaluation.methods.steps.dropping import parse_drop
from server.domain.evaluation.methods.steps.summing import FAMILY as SUMMARIES
from tests.domain.evaluation.documents import delivered, delivered_names, evaluated, priced
from tests.tree import ROOT, text

PAGE = text(Path("docs/methods.md"))
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_every_kind_of_step_and_each_of_its_members_is_told():
    told = set(re.findall(r"[`\"{ ]([a-z_]+)[`\"} ]", PAGE))
    for kind in KINDS.values():
        assert {kind.name, *kind.required, *kind.optional} <= told, kind.name


def test_every_mode_role_and_reason_is_told():
    for word in (*MODES, *ROLES, *REASONS):
        assert f"`{word}`" in PAGE, word


def test_every_delivered_method_is_listed_with_its_status():
    listed = dict(re.findall(r"^\| `([a-z-]+)\.json` \|.*\| (\w+) \|$", PAGE, re.MULTILINE))
    assert listed == {
        name: "confirmed" if delivered(name).confirmed else "unconfirmed"
        for name in delivered_names()
    }


def test_the_ways_of_dropping_that_are_shown_are_read():
    ways = next(block for block in BLOCKS if isinstance(block, list) and "table" in block[0])
    assert [parse_drop(Node(way, "", "method")).counts(8) for way in ways] == [
        (1, 1),
        (2, 2),
        (2, 1),
    ]


def test_a_method_written_from_the_page_alone_needs_no_code():
    """The middle five of n, K from 0.95 to 0.98, per started percent, two decimals half up."""
    method = parse_method((ROOT / "docs/examples/middle-five.json").read_bytes())
    inputs = example_of(method)
    assert inputs is not None
    derivation = evaluate(method, *inputs)
    assert derivation.members("five") == ("1", "2", "3", "6", "7")  # 902, 960 and 988 are out
    assert derivation.value("B") == "9026820.00"  # 930.6 * 0.97
    assert derivation.column("S")["4"] == "99.00"  # 0.08% below: one started percent
    assert list(derivation.draws.numbers) == ["K"]


def test_a_second_author_of_the_same_rule_needed_no_code_either():
    """Its worked example was computed apart from this program; reading the method checks it."""
    raw = (ROOT / "docs/examples/middle-five-with-ceiling.json").read_bytes()
    inputs = example_of(method := parse_method(raw))
    assert inputs is not None
    assert evaluate(method, *inputs).results.ranked
    other = raw.replace(b'"9179080.00"', b'"9179080.01"')
    assert other != raw
    with pytest.raises(Misplaced, match=r"method\.example"):
        parse_method(other)


@pytest.mark.parametrize("drawn", ["0.95", "0.955", "0.96", "0.965", "0.97", "0.975", "0.98"])
def test_the_example_takes_each_k_it_lists(drawn: str):
    method = parse_method((ROOT / "docs/examples/middle-five.json").read_bytes())
    bids = priced("9300000.00")
    found = evaluated(method, bids, {"ceiling": "10000000.00"}, {"k": drawn})
    assert found.results.winner == "1"


def test_summaries_say_what_they_do_with_few_bids():
    asked = {kind.name for kind in SUMMARIES if "few" in kind.required}
    assert asked == {"mean", "median", "lowest", "highest"}


def test_what_has_to_be_drawn_is_listed_before_any_bid_is_known():
    needed = needed_draws(delivered("low-price-abc"))
    assert [(draw.label, draw.is_order) for draw in needed] == [
        ("k", False),
        ("delta", False),
        ("b-order", True),
    ]
    assert needed[0].values == ("0.95", "0.955", "0.96", "0.965", "0.97", "0.975", "0.98")
