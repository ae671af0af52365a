"""What a method takes from outside (输入项): what is given with the tender, fields of a bid, draws.

Invariant: each has limits, so that every number of an evaluation is bounded before it is read; a
draw lists all it can give, so that what is drawn can be committed to beforehand.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from server.domain.evaluation.methods.bounds import Bounds, bounds_between
from server.domain.evaluation.methods.numbers import DIGITS_MAX, plain
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import (
    ALL_BIDS,
    Amount,
    Choice,
    Flag,
    Meaning,
    Order,
    Scores,
)
from server.domain.evaluation.methods.wording import Text, parse_text

WORDS_MAX = 64
CRITERIA_MAX = 64
EXPERTS_MAX = 99
MARK_DIGITS_MAX = 6
DRAW_VALUES_MAX = 1_000
TYPES_MAX = 16  # members of one declaration
MONEY_MAX = Decimal("9999999999999.99")
FEN = Decimal("0.01")

_LABEL = re.compile(r"[a-z0-9.-]{1,64}")  # of a draw: what KDRAW1 takes


@dataclass(frozen=True, slots=True)
class NumberField:
    """An amount of money (``digits`` 2, yuan) or another decimal number."""

    name: Text
    money: bool
    low: Decimal
    high: Decimal
    digits: int


@dataclass(frozen=True, slots=True)
class ChoiceField:
    name: Text
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagField:
    name: Text


@dataclass(frozen=True, slots=True)
class ScoresField:
    """``criteria``: id -> (name, full marks)."""

    name: Text
    criteria: dict[str, tuple[Text, Decimal]]
    experts_min: int
    experts_max: int
    digits: int


Field: TypeAlias = NumberField | ChoiceField | FlagField | ScoresField


@dataclass(frozen=True, slots=True)
class Draw:
    """What a method needs drawn. ``values``: the choices as text; empty for an order of all bids.

    ``label`` is under which it is drawn and given; ``id`` is its name in the steps.
    """

    id: str
    label: str
    name: Text
    values: tuple[str, ...]

    @property
    def is_order(self) -> bool:
        return not self.values


def _type(node: Node, allowed: tuple[str, ...]) -> str:
    members = node.entries(TYPES_MAX)
    if "type" not in members:
        raise node.child("type", None).refuse("missing")
    return members["type"].one_of(allowed)


def read_given(node: Node) -> NumberField:
    return _READ_NUMBERS[_type(node, ("money", "number"))](node)


def read_field(node: Node) -> Field:
    kind = _type(node, (*_READ_NUMBERS, "choice", "flag", "scores"))
    match kind:
        case "choice":
            return _read_choice(node)
        case "flag":
            return FlagField(parse_text(node.members(("type", "name"))["name"]))
        case "scores":
            return _read_scores(node)
        case _:
            return _READ_NUMBERS[kind](node)


def _read_money(node: Node) -> NumberField:
    members = node.members(("type", "name"), ("min", "max"))
    low = Decimal(members["min"].fen()) * FEN if "min" in members else FEN
    high = Decimal(members["max"].fen()) * FEN if "max" in members else MONEY_MAX
    if low > high:
        raise members["max" if "max" in members else "min"].refuse("range", "min is above max")
    return NumberField(parse_text(members["name"]), True, low, high, 2)


def _read_number(node: Node) -> NumberField:
    members = node.members(("type", "name", "min", "max", "digits"))
    low, high = members["min"].decimal(), members["max"].decimal()
    if low > high:
        raise members["max"].refuse("range", "min is above max")
    digits = members["digits"].integer(0, DIGITS_MAX)
    return NumberField(parse_text(members["name"]), False, low, high, digits)


_READ_NUMBERS = {"money": _read_money, "number": _read_number}


def _read_choice(node: Node) -> ChoiceField:
    members = node.members(("type", "name", "words"))
    words = tuple(item.text(1, 64) for item in members["words"].items(1, WORDS_MAX))
    if len(set(words)) < len(words):
        raise members["words"].refuse("twice")
    return ChoiceField(parse_text(members["name"]), words)


def _read_scores(node: Node) -> ScoresField:
    members = node.members(("type", "name", "experts", "digits", "criteria"))
    span = members["experts"].members(("min", "max"))
    least = span["min"].integer(1, EXPERTS_MAX)
    most = span["max"].integer(least, EXPERTS_MAX)
    criteria: dict[str, tuple[Text, Decimal]] = {}
    for item in members["criteria"].items(1, CRITERIA_MAX):
        parts = item.members(("id", "name", "full"))
        criterion, full = parts["id"].name(), parts["full"].decimal()
        if criterion in criteria:
            raise parts["id"].refuse("twice")
        if not 0 < full <= 10_000:
            raise parts["full"].refuse("range", "above 0, at most 10000")
        criteria[criterion] = (parse_text(parts["name"]), full)
    digits = members["digits"].integer(0, MARK_DIGITS_MAX)
    return ScoresField(parse_text(members["name"]), criteria, least, most, digits)


def amount(field: NumberField, over: str | None) -> Amount:
    return Amount(bounds_between(field.low, field.high, field.digits), over, field.digits)


def meaning_of_field(field: Field) -> Meaning:
    match field:
        case NumberField():
            return amount(field, ALL_BIDS)
        case ChoiceField():
            return Choice(field.words)
        case FlagField():
            return Flag()
        case ScoresField():
            criteria = {
                criterion: bounds_between(Decimal(0), full, field.digits)
                for criterion, (_, full) in field.criteria.items()
            }
            return Scores(criteria, field.experts_max)


# ---- draws


def read_draw(name: str, node: Node) -> Draw:
    kind = _type(node, ("one", "order"))
    values: tuple[str, ...] = ()
    if kind == "order":
        members = node.members(("type", "name", "label"))
    elif "of" in node.entries(TYPES_MAX):
        members = node.members(("type", "name", "label", "of"))
        items = members["of"].items(1, DRAW_VALUES_MAX)
        values = tuple(plain(item.decimal()) for item in items)
        if len(set(values)) < len(values):
            raise members["of"].refuse("twice")
    else:
        members = node.members(("type", "name", "label", "from", "to", "step"))
        values = _values_between(members)
    label = members["label"].text(1, 64)
    if _LABEL.fullmatch(label) is None:
        raise members["label"].refuse("text", "lower-case letters, digits, . and -")
    return Draw(name, label, parse_text(members["name"]), values)


def _values_between(members: dict[str, Node]) -> tuple[str, ...]:
    low, high, step = (members[name].decimal() for name in ("from", "to", "step"))
    if step <= 0 or low > high:
        raise members["step"].refuse("range", "from low to high by a step above 0")
    steps = (Fraction(high) - Fraction(low)) / Fraction(step)
    if steps.denominator != 1 or steps >= DRAW_VALUES_MAX:
        why = f"to is not reached by whole steps, or there are more than {DRAW_VALUES_MAX}"
        raise members["step"].refuse("range", why)
    return tuple(plain(Fraction(low) + Fraction(step) * i) for i in range(int(steps) + 1))


def meaning_of_draw(draw: Draw) -> Meaning:
    if draw.is_order:
        return Order()
    values = sorted(map(Decimal, draw.values))
    digits = max(len(value.partition(".")[2]) for value in draw.values)
    bounds: Bounds = bounds_between(values[0], values[-1], digits)
    return Amount(bounds)
