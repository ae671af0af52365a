"""What each name of a method stands for (名称与类型), and the check of expressions against it.

Names are one flat space: what is given with the tender, fields of a bid, draws, steps. A value is
either one number or a column: one number for each bid of a set.

Invariant: an expression that passes here cannot fail when it is computed: every name is known and
of the right kind, every bid it is computed for has every column it needs, no divisor is zero.
"""

from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from server.domain.evaluation.methods import bounds as bnd
from server.domain.evaluation.methods.bounds import Bounds, ByZero, TooLarge
from server.domain.evaluation.methods.expressions import (
    Arithmetic,
    Comparison,
    Constant,
    Expression,
    Function,
    Logic,
    Name,
    Negative,
    Not,
    Within,
    Word,
    names_of,
)
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.refusing import Misplaced

ALL_BIDS = "bids"  # the name of the set of all bids


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, or a column over the set ``over``. ``digits``: decimals to print, None: all."""

    bounds: Bounds
    over: str | None = None
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A word of each bid, one of ``words``."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no of each bid."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The marks of each expert in each criterion, of each bid: criterion -> full marks."""

    criteria: "dict[str, Bounds]"
    experts_max: int


@dataclass(frozen=True, slots=True)
class BidSet:
    """A set of bids; ``within``: itself and every set that surely contains it."""

    within: frozenset[str]


@dataclass(frozen=True, slots=True)
class Order:
    """All bids in a drawn order."""


Meaning: TypeAlias = Amount | Choice | Flag | Scores | BidSet | Order


class Scope:
    """Names known so far, in the order they were given."""

    def __init__(self) -> None:
        self._meanings: dict[str, Meaning] = {ALL_BIDS: BidSet(frozenset({ALL_BIDS}))}
        self.used: set[str] = set()
        self.needs: dict[str, set[str]] = {}  # step -> steps its text speaks of, also later ones
        self.reading = ""  # the step that is being read
        self.work = 1  # parts of expressions checked so far

    def give(self, name: str, meaning: Meaning, node: Node) -> None:
        """Code: method.twice."""
        if name in self._meanings:
            raise node.refuse("twice", f"the name {name} is already given")
        self._meanings[name] = meaning

    def __contains__(self, name: str) -> bool:
        return name in self._meanings

    def meaning(self, name: str, node: Node) -> Meaning:
        """Codes: method.unknown_name, cycle, later."""
        found = self._meanings.get(name)
        if found is None:
            raise self._unknown(name, node)
        self.used.add(name)
        return found

    def _unknown(self, name: str, node: Node) -> Misplaced:
        if name not in self.needs:
            return node.refuse("unknown_name", f"nothing is called {name}")
        if name == self.reading:
            return node.refuse("cycle", f"{name} needs itself")
        if self._reaches(name, self.reading):
            return node.refuse("cycle", f"{self.reading} and {name} need each other")
        return node.refuse("later", f"{name} comes after {self.reading}, which needs it")

    def _reaches(self, start: str, target: str) -> bool:
        seen, left = set[str](), [start]
        while left:
            name = left.pop()
            if name == target:
                return True
            if name not in seen:
                seen.add(name)
                left.extend(self.needs[name])
        return False

    def a_set(self, node: Node, name: str | None = None) -> frozenset[str]:
        """The supersets of the set that ``node`` names."""
        name = node.name() if name is None else name
        found = self.meaning(name, node)
        if not isinstance(found, BidSet):
            raise node.refuse("wrong_name", f"{name} is no set of bids")
        return found.within

    def a_column(self, node: Node, within: frozenset[str]) -> Amount:
        """The numbers that ``node`` names, for bids that lie in all sets of ``within``."""
        name = node.name()
        found = self.meaning(name, node)
        if not isinstance(found, Amount) or found.over is None:
            raise node.refuse("wrong_name", f"{name} is no number of each bid")
        self._must_cover(found.over, name, within, node)
        return found

    def number(self, expression: Expression, node: Node, within: frozenset[str] | None) -> Bounds:
        """The bounds of an expression; ``within`` None: one number for all.

        Codes: method.unknown_name, wrong_name, outside, by_zero, too_large, expression.
        """
        try:
            return self._number(expression, node, within)
        except TooLarge as error:
            raise node.refuse("too_large") from error

    def condition(self, expression: Expression, node: Node, within: frozenset[str] | None) -> None:
        """The same for what holds or does not."""
        try:
            self._condition(expression, node, within)
        except TooLarge as error:
            raise node.refuse("too_large") from error

    def _must_cover(self, over: str, name: str, within: frozenset[str] | None, node: Node) -> None:
        if within is None:
            raise node.refuse("outside", f"{name} differs from bid to bid: say over which set")
        if over not in within:
            raise node.refuse("outside", f"{name} is known for the bids of {over} only")

    def _number(self, part: Expression, node: Node, within: frozenset[str] | None) -> Bounds:
        self.work += 1
        match part:
            case Constant(value=value):
                return bnd.of_constant(value)
            case Name(name=name):
                found = self.meaning(name, node)
                if not isinstance(found, Amount):
                    raise node.refuse("wrong_name", f"{name} is no number")
                if found.over is not None:
                    self._must_cover(found.over, name, within, node)
                return found.bounds
            case Negative(of=of):
                return bnd.negative(self._number(of, node, within))
            case Arithmetic(op=op, left=left, right=right, at=at):
                a, b = self._number(left, node, within), self._number(right, node, within)
                try:
                    return bnd.ARITHMETIC[op](a, b)
                except ByZero as error:
                    raise self._by_zero(right, b, node, at) from error
            case Function(name=name, arguments=arguments, at=at):
                values = [self._number(one, node, within) for one in arguments]
                if name == "abs":
                    return bnd.absolute(values[0])
                try:
                    return reduce(bnd.FUNCTIONS[name], values)
                except ByZero as error:
                    raise self._by_zero(arguments[-1], values[-1], node, at) from error
            case Comparison() | Logic() | Not() | Within() | Word():
                raise node.refuse("expression", "a number is expected, not a condition")

    def _by_zero(self, part: Expression, found: Bounds, node: Node, at: int) -> Misplaced:
        names = ", ".join(names_of(part)) or "the divisor"
        limits = f"between {_limits(found)}"
        return node.refuse("by_zero", f"character {at + 1}: {names} can be zero ({limits})")

    def _condition(self, part: Expression, node: Node, within: frozenset[str] | None) -> None:
        match part:
            case Comparison(terms=terms, ops=ops, at=at):
                if any(isinstance(term, Word) for term in terms):
                    self._words(terms, ops, node, within, at)
                else:
                    for term in terms:
                        self._number(term, node, within)
            case Logic(parts=parts):
                for one in parts:
                    self._condition(one, node, within)
            case Not(of=of):
                self._condition(of, node, within)
            case Within(name=name):
                self.a_set(node, name)
                self._of_each(name, node, within)
            case Name(name=name):
                if not isinstance(self.meaning(name, node), Flag):
                    raise node.refuse("wrong_name", f"{name} is neither yes nor no")
                self._of_each(name, node, within)
            case Constant() | Negative() | Arithmetic() | Function() | Word():
                raise node.refuse("expression", "a condition is expected, not a number")

    def _of_each(self, name: str, node: Node, within: frozenset[str] | None) -> None:
        if within is None:
            raise node.refuse("outside", f"{name} differs from bid to bid: say over which set")

    def _words(
        self,
        terms: tuple[Expression, ...],
        ops: tuple[str, ...],
        node: Node,
        within: frozenset[str] | None,
        at: int,
    ) -> None:
        match terms:
            case (Name(name=name), Word(text=text)) if ops[0] in ("=", "!="):
                found = self.meaning(name, node)
                if not isinstance(found, Choice):
                    raise node.refuse("wrong_name", f"{name} is no choice of words")
                if text not in found.words:
                    raise node.refuse("choice", f"{name} is never '{text}'")
                self._of_each(name, node, within)
            case _:
                raise node.refuse("expression", f"character {at + 1}: write choice = 'word'")


def _limits(found: Bounds) -> str:
    """The limits as text, cut to whole numbers for people."""
    return f"{int(found.low)} and {int(found.high)}"
