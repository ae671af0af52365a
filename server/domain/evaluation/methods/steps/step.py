"""What every step has in common (步骤): its head, what it uses, what comes out, how it speaks.

A kind of step is a table row: which members its object has, and the function that reads and checks
them. A step read is immutable; it runs on a `State` and says itself in a sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from server.domain.evaluation.methods.computing import Indexes, State
from server.domain.evaluation.methods.numbers import Number, Rounding, Vector
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Meaning, Scope
from server.domain.evaluation.methods.wording import Text, Words

BIDS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class SetOutput:
    """Which bids are in, and which of those looked at are out."""

    inside: Indexes
    outside: Indexes


@dataclass(frozen=True, slots=True)
class NumberOutput:
    """``exact``: before rounding."""

    value: Number
    exact: Number
    digits: int | None


@dataclass(frozen=True, slots=True)
class ColumnOutput:
    """``values`` belong to the bids of ``over``."""

    over: Indexes
    values: Vector
    digits: int | None


@dataclass(frozen=True, slots=True)
class HoldsOutput:
    """A requirement was met."""


@dataclass(frozen=True, slots=True)
class RankOutput:
    """(place, bid) in order; equal places only where the method leaves ties."""

    places: tuple[tuple[int, int], ...]


Output: TypeAlias = SetOutput | NumberOutput | ColumnOutput | HoldsOutput | RankOutput


@dataclass(frozen=True, slots=True)
class Head:
    """``place``: where the step stands in its document."""

    id: str
    kind: str
    name: Text
    clause: Text
    place: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step read and checked. ``uses``: every name it needs."""

    head: Head
    uses: tuple[str, ...]

    @property
    def rounding(self) -> Rounding | None:
        """None: this kind of step makes no new digits."""
        return None

    def run(self, state: State) -> Output:
        """Raises Failed where the method says that the evaluation ends."""
        raise NotImplementedError

    def say(self, words: Words) -> str:
        """One sentence, without the step's name and clause."""
        raise NotImplementedError


Read: TypeAlias = Callable[[Head, dict[str, Node], Scope], tuple[Step, Meaning | None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the registry. ``read`` gets the members named here, checked to be there."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Read
