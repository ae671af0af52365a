"""Canonical JSON: one value has one spelling, and every other spelling is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import INTEGER_MAX, Json, decode, encode
from crypto.errors import Rejected

SIZE, DEPTH = 1 << 20, 32

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def is_read_or_refused(raw: bytes) -> bool:
    try:
        value = decode(raw, size_max=SIZE, depth_max=4)
    except Rejected as refusal:
        return refusal.code.startswith("json.")
    return encode(value) == raw


@given(VALUES)
def test_what_is_written_is_read_back(value: Json) -> None:
    raw = encode(value)
    assert decode(raw, size_max=SIZE, depth_max=DEPTH) == value
    assert json.loads(raw) == value


@given(VALUES, st.data())
def test_another_spelling_of_the_same_value_is_refused(value: Json, data: st.DataObject) -> None:
    indent = data.draw(st.sampled_from([None, 1]))
    ascii_only = data.draw(st.booleans())
    other = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    if other == encode(value):
        return
    with pytest.raises(Rejected, match=r"json\.not_canonical"):
        decode(other, size_max=SIZE, depth_max=DEPTH)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert is_read_or_refused(raw)


@given(st.text(alphabet='[]{}":,\\u0019a-.eE \n', max_size=40))
def test_any_text_of_json_characters_is_read_or_refused(text: str) -> None:
    assert is_read_or_refused(text.encode())


@given(st.dictionaries(TEXTS, st.just(0), max_size=8))
def test_members_are_ordered_by_utf16_code_units(members: dict[str, int]) -> None:
    pairs = json.loads(encode(dict(members)), object_pairs_hook=lambda pairs: pairs)
    names = [name.encode("utf-16-be") for name, _ in pairs]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "value", [1.5, 2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, b"x", {"a": {1, 2}}]
)
def test_values_that_are_not_ours_are_not_written(value: object) -> None:
    with pytest.raises(Rejected, match=r"json\.not_canonical"):
        encode(value)  # pyright: ignore[reportArgumentType]


def test_a_value_deeper_than_any_object_of_ours_is_not_written() -> None:
    value: Json = 1
    for _ in range(33):
        value = [value]
    with pytest.raises(Rejected, match=r"json\.depth"):
        encode(value)


def test_hostile_input_costs_time_linear_in_its_length() -> None:
    # Each took seconds to hours if a scan began again at every quote, digit or bracket.
    for raw in (
        b'"' * 500_000,
        b'"' + b'\\"' * 250_000,
        b"[" * 500_000,
        b"1" * 500_000,
        b"[" + b"1e99999," * 50_000 + b"1]",
    ):
        with pytest.raises(Rejected):
            decode(raw, size_max=1 << 20, depth_max=8)


def test_every_character_is_written_as_rfc_8785_says():
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    assert encode(everything) == json.dumps(everything, ensure_ascii=False).encode()
