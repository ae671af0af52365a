"""Whatever is done to a method, bids or a derivation: a refusal with a place, or an evaluation."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.evaluation.methods import (
    Method,
    Misplaced,
    bids_of,
    draws_of,
    evaluate,
    explain,
    parse_method,
    render,
    replay,
)
from tests.domain.evaluation.documents import DELIVERED, delivered_names, raw
from tests.domain.evaluation.random_bids import inputs

DOCUMENTS = {
    name: json.loads((DELIVERED / f"{name}.json").read_bytes()) for name in delivered_names()
}
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    10**15,
    0.5,
    "",
    "0",
    "-1",
    "100%",
    "999999999999999999",
    "none",
    "fail",
    "bids",
    "price",
    "valid",
    "price - price",
    "1 / price",
    "price * price * price",
    "mod(price, 7)",
    "in(valid)",
    "'AA'",
    "\u202e",
    "highest",
    {},
    [],
    {"mode": "up", "digits": 0},
    {"0": "same", "1": "same", "2": "same"},
]
strange = st.sampled_from(STRANGE).map(copy.deepcopy)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a document, but those of texts for people."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list) and key not in ("name", "clause", "source"):
            yield from places(inner)


@st.composite
def spoiled(draw: st.DrawFn, document: Any) -> Any:
    """The document with up to three things replaced, left out, doubled or moved."""
    value = copy.deepcopy(document)
    value.pop("example", None)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(places(value))))
        match draw(st.sampled_from(["replace", "leave out", "other place", "double"])):
            case "replace":
                container[key] = draw(strange)
            case "leave out":
                del container[key]
            case "other place":
                other, there = draw(st.sampled_from(list(places(value))))
                container[key] = copy.deepcopy(other[there])
            case _:
                if isinstance(container, list):
                    container.insert(key, copy.deepcopy(container[key]))
                else:
                    container[f"{key}x"] = copy.deepcopy(container[key])
    return value


def read(value: Any) -> Method | None:
    try:
        return parse_method(raw(value))
    except Misplaced as refused:
        assert refused.code.startswith("method.")  # noqa: PT017
        return None


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_spoiled_method_is_refused_or_works(name: str, data: st.DataObject):
    method = read(data.draw(spoiled(DOCUMENTS[name])))
    if method is None:
        return
    found = data.draw(inputs(method, high=6))
    try:
        bids = bids_of(method, {"given": found["given"], "bids": found["bids"]})
    except Misplaced as refused:  # a limit was moved beyond what these bids are made for
        assert refused.code == "bids.range"  # noqa: PT017
        return
    derivation = evaluate(method, bids, draws_of(method, bids, found["draws"]))
    printed = derivation.to_json()
    assert replay(printed) == printed
    for language in ("zh", "en"):
        assert render(derivation, language)
        assert explain(method, language)


@pytest.mark.parametrize("name", ["highway-expressway-chain", "procurement-low-price-first"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_spoiled_derivation_is_refused(name: str, data: st.DataObject):
    method = parse_method((DELIVERED / f"{name}.json").read_bytes())
    found = data.draw(inputs(method, 1, 4))
    bids = bids_of(method, {"given": found["given"], "bids": found["bids"]})
    printed = evaluate(method, bids, draws_of(method, bids, found["draws"])).to_json()
    value = json.loads(printed)
    container, key = data.draw(st.sampled_from(list(places(value))))
    old = copy.deepcopy(container[key])
    container[key] = data.draw(strange.filter(lambda new: type(new) is not type(old) or new != old))
    with pytest.raises(Misplaced):
        replay(raw(value))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=64)
    | st.text('[]{}":,0123456789.eE-+truefalsn \\u', max_size=64).map(str.encode)
)
def test_noise_is_refused(noise: bytes):
    with pytest.raises(Misplaced):
        parse_method(noise)
