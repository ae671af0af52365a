"""The table of refusals and the rules say the same: every code the rules name is in the table, and
every one of them is the end of a story that can happen.
"""

import ast
import re
from pathlib import Path

import pytest

import server.domain
from crypto.objects.entry import EntryType
from server.domain import log_entries
from server.domain.refusals import REFUSALS, Refused
from tests.domain import (  # their stories go to SCENARIOS
    refusal_catalogue_floor,  # noqa: F401
    refusal_catalogue_hall,  # noqa: F401
)
from tests.domain.refusal_catalogue import SCENARIOS

CODE = re.compile(r"[a-z_]+\.[a-z_]+")
# Named in the rules, but raised as codes of `crypto` or by nobody: what a client reports itself.
NOT_OURS = {"manifest.sessions"}


def codes_in_the_rules() -> set[str]:
    """Every text in server/domain that reads like a code, docstrings and the table itself apart."""
    found: set[str] = set()
    for path in Path(server.domain.__file__).parent.glob("*.py"):
        if path.name == "refusals.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if CODE.fullmatch(node.value) else set()
    return found - NOT_OURS


def test_every_code_of_the_rules_is_in_the_table():
    assert codes_in_the_rules() <= REFUSALS.keys()


def test_every_code_of_the_rules_has_a_story():
    assert codes_in_the_rules() == SCENARIOS.keys()


@pytest.mark.parametrize("code", sorted(SCENARIOS))
def test_the_story_ends_in_its_code(code: str):
    with pytest.raises(Refused) as caught:
        SCENARIOS[code]()
    assert caught.value.code == code


def test_a_code_is_a_noun_and_a_reason():
    for code, row in REFUSALS.items():
        assert CODE.fullmatch(code)
        assert 400 <= row.status < 600
        assert len(code) <= 64


def test_what_may_succeed_later_says_so():
    retryable = {code for code in SCENARIOS if REFUSALS[code].retryable}
    assert retryable == {
        "bid.incomplete",
        "release.checkpoint",
        "unlock.before_window",
        "window.not_closing_checkpoint",
    }


def test_the_table_of_entry_types_is_that_of_the_formats():
    """The rules name entry types by numbers of their own."""

    for entry_type in EntryType:
        if hasattr(log_entries, entry_type.name):
            assert getattr(log_entries, entry_type.name) == entry_type
