"""What an evaluation refuses, and where (拒绝与位置).

Invariant: whatever bytes come in as a method, as bids, as draws or as a derivation, either a value
comes out or `Misplaced` is raised with a stable code and the place in the document: never another
exception, never half a result.
"""

from crypto.errors import Rejected

# The reasons a document is refused for; its noun stands before: method, bids, draws, derivation.
REASONS = {
    "size": "larger than the limit, or too many of something",
    "utf8": "not UTF-8",
    "depth": "nested too deeply",
    "syntax": "not JSON",
    "twice": "a name or a bidder stands twice",
    "type": "another type of value is expected",
    "number": "not a number of the expected spelling",
    "range": "a number outside its limits",
    "text": "a text of forbidden length or characters",
    "choice": "none of the allowed values",
    "missing": "a member that must be there is not",
    "unknown_member": "a member nobody knows",
    "unknown_name": "a name nobody gave",
    "wrong_name": "a name of something else than is expected here",
    "expression": "an expression that cannot be read",
    "cycle": "steps that need each other",
    "later": "a step that needs a later one",
    "outside": "a value that some of the bids do not have",
    "by_zero": "a division that can be by zero",
    "unrounded": "a sum of quotients nobody rounded",
    "too_large": "numbers that can become too large",
    "never_drawn": "a draw that nothing uses",
    "weights": "weights or full marks that do not add up",
    "empties": "a rule that can leave nothing",
    "no_ranking": "the last step, and only it, ranks",
    "example": "the worked example does not follow from the method",
    "differs": "what is printed does not follow from its own inputs",
}


class Misplaced(Rejected):
    """A document was refused. ``code``: noun.reason; ``place``: like ``steps[3].round.digits``."""

    def __init__(self, noun: str, reason: str, place: str, why: str = "") -> None:
        assert reason in REASONS, reason
        super().__init__(f"{noun}.{reason}", f"{place or '(all)'}: {why or REASONS[reason]}")
        self.place = place
