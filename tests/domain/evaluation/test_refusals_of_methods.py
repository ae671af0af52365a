"""What a method may not say: each refusal has its code and the place."""

import json

import pytest

from server.domain.evaluation.methods import Misplaced, parse_method
from server.domain.evaluation.methods.reading import DEPTH_MAX
from server.domain.evaluation.methods.refusing import REASONS
from server.domain.evaluation.methods.schema import METHOD_BYTES_MAX, STEPS_MAX
from tests.domain.evaluation.documents import (
    method_value,
    raw,
    refused,
)
from tests.domain.evaluation.refused_inputs import INPUTS
from tests.domain.evaluation.refused_parts import (
    each,
    formula,
)
from tests.domain.evaluation.refused_steps import STEPS
from tests.tree import ROOT

REFUSED = INPUTS | STEPS


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


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("noun", ["method", "bids", "draws", "derivation"])
def test_every_noun_of_these_refusals_is_told_in_words(noun: str, language: str):
    texts = json.loads((ROOT / f"server/locale/{language}.json").read_bytes())
    assert len(texts[f"refusal.{noun}.other"].split("|")) == 3
