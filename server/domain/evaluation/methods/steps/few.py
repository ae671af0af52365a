"""What a step does when it meets no bid, one or two (家数为零、一、二时): always written down.

Invariant: a step that looks at several bids at once says all three; nothing is left to the program.
"""

from dataclasses import dataclass

from server.domain.evaluation.methods.bounds import Bounds, union
from server.domain.evaluation.methods.computing import Failed, State, number
from server.domain.evaluation.methods.expressions import Expression, names_of, parse_expression
from server.domain.evaluation.methods.numbers import Number
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.scope import Scope
from server.domain.evaluation.methods.wording import Words

COUNTS = ("0", "1", "2")
SAME = "same"  # the step's own rule
ALL = "all"  # every bid stays
FAIL = "fail"  # the evaluation ends


@dataclass(frozen=True, slots=True)
class Few:
    """For n = 0, 1, 2: one of SAME, ALL, FAIL, or the number that stands instead."""

    at: tuple[str | Expression, str | Expression, str | Expression]

    def said(self, count: int) -> str | Expression:
        return self.at[count] if count < len(self.at) else SAME

    def keeps_all(self, count: int) -> bool:
        """Raises Failed where the method says so."""
        self._perhaps_fail(count)
        return self.said(count) == ALL

    def instead(self, count: int, state: State) -> Number | None:
        """The number that stands instead of the rule's. Raises Failed where the method says so."""
        self._perhaps_fail(count)
        said = self.said(count)
        return None if isinstance(said, str) else number(state, said)

    def _perhaps_fail(self, count: int) -> None:
        if self.said(count) == FAIL:
            raise Failed(f"n={count}")

    def is_plain(self) -> bool:
        """No number stands instead of the rule's anywhere."""
        return all(isinstance(said, str) for said in self.at)

    def names(self) -> tuple[str, ...]:
        return tuple(n for said in self.at if not isinstance(said, str) for n in names_of(said))

    def say(self, words: Words) -> str:
        counts: dict[str, list[int]] = {}
        for n in range(len(self.at)):
            counts.setdefault(self._says(n, words), []).append(n)
        parts = [
            words.pick(
                f"{_several(found, words)}时{said}", f"with {_several(found, words)}: {said}"
            )
            for said, found in counts.items()
        ]
        said = words.pick("；", "; ").join(parts)
        return said[:1].upper() + said[1:]

    def _says(self, count: int, words: Words) -> str:
        match self.at[count]:
            case "same":
                return words.pick("仍按本条办理", "the same rule")
            case "all":
                return words.pick("全部保留", "all stay")
            case "fail":
                return words.pick("评标终止", "the evaluation ends")
            case str() as said:
                raise AssertionError(said)
            case expression:
                return words.pick("取", "taken as ") + words.expression(expression)


def _several(counts: list[int], words: Words) -> str:
    """没有投标、仅有一家、两家; no bid, one or two."""
    if words.language == "en":
        said = [("no bid", "one", "two")[n] for n in counts]
        return " or ".join([", ".join(said[:-1]), said[-1]] if said[1:] else said)
    none = ["没有投标"] if 0 in counts else []
    some = ["仅有" + "、".join(("一家", "两家")[n - 1] for n in counts if n)] if any(counts) else []
    return "或".join(none + some)


def few_of_sets(node: Node) -> Few:
    """same, all or fail; never a number."""
    members = node.members(COUNTS)
    zero, one, two = (members[n].one_of((SAME, ALL, FAIL)) for n in COUNTS)
    return Few((zero, one, two))


def few_of_numbers(node: Node, scope: Scope, own: Bounds) -> tuple[Few, Bounds]:
    """same (not for none), fail, or an expression; and the bounds with those of the instead."""
    members = node.members(COUNTS)
    said: list[str | Expression] = []
    bounds = own
    for count in COUNTS:
        part = members[count]
        if part.value == FAIL or (part.value == SAME and count != "0"):
            said.append(part.one_of((SAME, FAIL)))
            continue
        if part.value in (SAME, ALL):
            raise part.refuse(
                "empties", "of no bids there is no such number: fail, or what instead"
            )
        expression = parse_expression(part)
        bounds = union(bounds, scope.number(expression, part, None))
        said.append(expression)
    zero, one, two = said
    return Few((zero, one, two)), bounds
