"""Steps that decide (否决条件与排序): a requirement for going on, and the ranking at the end.

Invariant: the ranking is total: every bid of its set has a place, and where all keys are equal the
method has said whether places are shared or the evaluation ends.
"""

from dataclasses import dataclass

from server.domain.evaluation.methods.computing import Failed, State, holds
from server.domain.evaluation.methods.expressions import Expression, names_of, parse_expression
from server.domain.evaluation.methods.numbers import ZERO, Number, calculate
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Order, Scope
from server.domain.evaluation.methods.steps.step import (
    Head,
    HoldsOutput,
    Kind,
    Output,
    RankOutput,
    Step,
)
from server.domain.evaluation.methods.wording import Words

KEYS_MAX = 8
CANDIDATES_MAX = 100


@dataclass(frozen=True, slots=True)
class Require(Step):
    """What must hold, else the evaluation ends (否则否决全部投标)."""

    condition: Expression

    def run(self, state: State) -> Output:
        if not holds(state, self.condition):
            raise Failed("requirement")
        return HoldsOutput()

    def say(self, words: Words) -> str:
        condition = words.expression(self.condition)
        return words.pick(
            f"须满足“{condition}”，否则评标终止。",
            f"{condition} must hold, otherwise the evaluation ends.",
        )


def _read_require(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, None]:
    condition = parse_expression(members["condition"])
    scope.condition(condition, members["condition"], None)
    return Require(head, names_of(condition), condition), None


@dataclass(frozen=True, slots=True)
class Key:
    """A column, higher or lower first; or a drawn order."""

    name: str
    order: str  # highest, lowest, drawn


@dataclass(frozen=True, slots=True)
class Rank(Step):
    """Places by one key after the other (排序)."""

    source: str
    keys: tuple[Key, ...]
    shared: bool
    candidates: int

    def run(self, state: State) -> Output:
        bids = state.sets[self.source]
        sort_key = {i: tuple(self._key(state, key, i) for key in self.keys) for i in bids}
        line = sorted(bids, key=lambda i: (sort_key[i], i))
        places: list[tuple[int, int]] = []
        for n, i in enumerate(line):
            tied = n > 0 and sort_key[line[n - 1]] == sort_key[i]
            if tied and not self.shared:
                raise Failed(f"tie: {state.ids[line[n - 1]]}, {state.ids[i]}")
            places.append((places[-1][0] if tied else n + 1, i))
        return RankOutput(tuple(places))

    def _key(self, state: State, key: Key, bid: int) -> Number | int:
        if key.order == "drawn":
            return state.orders[key.name][bid]
        value = state.columns[key.name][bid]
        return calculate("-", ZERO, value) if key.order == "highest" else value

    def say(self, words: Words) -> str:
        orders = {
            "highest": ("由高到低", "higher first"),
            "lowest": ("由低到高", "lower first"),
            "drawn": ("抽签顺序", "in the drawn order"),
        }
        said = [
            words.label(k.name) + words.pick(orders[k.order][0], f" ({orders[k.order][1]})")
            for k in self.keys
        ]
        keys = words.pick("；相等时按", "; if equal, by ").join(said)
        source = words.label(self.source)
        ties = words.pick(
            "仍相等的并列" if self.shared else "仍相等的评标终止",
            "what is still equal shares a place"
            if self.shared
            else "if still equal, the evaluation ends",
        )
        return words.pick(
            f"{source}按{keys}排序；{ties}；推荐前{self.candidates}名为中标候选人。",
            f"{source} are ranked by {keys}; {ties}; the first {self.candidates} are recommended.",
        )


def _read_rank(head: Head, members: dict[str, Node], scope: Scope) -> tuple[Step, None]:
    within = scope.a_set(members["of"])
    keys: list[Key] = []
    for item in members["by"].items(1, KEYS_MAX):
        parts = item.members((), ("highest", "lowest", "drawn"))
        if len(parts) != 1:
            raise item.refuse("missing", "one of highest, lowest, drawn")
        ((order, node),) = parts.items()
        if order != "drawn":
            scope.a_column(node, within)
        elif not isinstance(scope.meaning(node.name(), node), Order):
            raise node.refuse("wrong_name", f"{node.name()} is no drawn order")
        keys.append(Key(node.name(), order))
    source = members["of"].name()
    uses = (source, *(key.name for key in keys))
    shared = members["ties"].one_of(("shared", "fail")) == "shared"
    candidates = members["candidates"].integer(1, CANDIDATES_MAX)
    return Rank(head, uses, source, tuple(keys), shared, candidates), None


FAMILY = (
    Kind("require", ("condition",), (), _read_require),
    Kind("rank", ("of", "by", "ties", "candidates"), (), _read_rank),
)
