"""Bids and draws that a method would take, whichever they are (随机投标): for properties."""

from typing import Any

from hypothesis import strategies as st

from server.domain.evaluation.methods import (
    ChoiceField,
    Field,
    FlagField,
    Method,
    NumberField,
    ScoresField,
)

EXPERTS = 3


def _number(field: NumberField, base: int | None) -> st.SearchStrategy[str]:
    """Around ``base`` if it is given, in units of the last digit."""
    scale = 10**field.digits
    low, high = int(field.low * scale), int(field.high * scale)
    if base is not None:
        low, high = max(low, base * 80 // 100), min(high, base * 103 // 100)
    return st.integers(low, high).map(lambda units: _text(units, field.digits))


def _text(units: int, digits: int) -> str:
    sign, units = "-" if units < 0 else "", abs(units)
    if not digits:
        return f"{sign}{units}"
    return f"{sign}{units // 10**digits}.{units % 10**digits:0{digits}d}"


def _value(field: Field, base: int) -> st.SearchStrategy[Any]:
    match field:
        case NumberField():
            scale = base * 10**field.digits
            return _number(field, scale if field.low >= 100 else None)
        case ChoiceField():
            return st.sampled_from(field.words)
        case FlagField():
            return st.booleans()
        case ScoresField():
            return st.fixed_dictionaries(
                {
                    criterion: st.lists(
                        st.integers(0, int(full * 10**field.digits)).map(
                            lambda units: _text(units, field.digits)
                        ),
                        min_size=EXPERTS,
                        max_size=EXPERTS,
                    )
                    for criterion, (_, full) in field.criteria.items()
                }
            )


BASE = 10_000_000  # yuan


def given_of(method: Method) -> dict[str, str]:
    """Every price that comes with the tender is BASE; other numbers are their highest."""
    return {
        name: _text(
            (BASE if field.low >= 100 else int(field.high)) * 10**field.digits, field.digits
        )
        for name, field in method.given.items()
    }


@st.composite
def inputs(draw: st.DrawFn, method: Method, low: int = 0, high: int = 20) -> dict[str, Any]:
    """{"given", "bids", "draws"} of ``low`` to ``high`` bids, numbered from 1."""
    row = st.fixed_dictionaries(
        {name: _value(field, BASE) for name, field in method.fields.items()}
    )
    rows = draw(st.lists(row, min_size=low, max_size=high))
    bids = [{"id": str(i), **found} for i, found in enumerate(rows, 1)]
    ids = [bid["id"] for bid in bids]
    draws = {
        found.label: draw(st.permutations(ids) if found.is_order else st.sampled_from(found.values))
        for found in method.draws.values()
    }
    return {"given": given_of(method), "bids": bids, "draws": draws}
