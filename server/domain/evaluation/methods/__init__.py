"""Evaluation methods as data (评标办法): parse, check, evaluate, explain, replay.

A method is a JSON document of small steps, each with its clause, its rounding and what it does with
no, one or two bids; docs/methods.md is its reference. It is read once and then only computed::

    method = parse_method(raw)                    # checked, its worked example computed
    needed_draws(method)                          # (Draw(id, label, name, values), ...)
    bids = parse_bids(method, raw)                # {"given": {...}, "bids": [{"id", "name", ...}]}
    draws = parse_draws(method, bids, raw)        # {label: "0.95" | ["3", "1", "2"]}
    derivation = evaluate(method, bids, draws)    # .lines and .results; never raises
    derivation.to_json()                          # JCS bytes; .as_json() is the value
    derivation.value("B")                         # what a step gave, as printed; also
                                                  # .column("S"), .members("valid")
    derivation.results                            # .ranked .ranking ((place, bid id), ...)
                                                  # .winner .place(id) .candidates
                                                  # .left_out {bid id: step} .shown {role: ...}
    replay(derivation_json) == derivation_json    # else Misplaced derivation.differs
    render(derivation, "zh"), explain(method, "en")
    approximate("2/3"), why_ended("n=1", "zh")    # what is printed, for people

``bids_of`` and ``draws_of`` take Python values (of a table, of a simulation) in place of bytes;
`Misplaced.place` then says ``bids[3].price``. All refusals are `Misplaced` (a `Rejected`) with a
code ``method.*``, ``bids.*``, ``draws.*`` or ``derivation.*`` and ``.place``.

Invariant: pure, exact and finite. No float, no clock, no draw is made here; whatever a document
says, evaluating it ends after as many steps as it has.
"""

from server.domain.evaluation.methods.bids import (
    Bids,
    Draws,
    bids_of,
    draws_of,
    needed_draws,
    parse_bids,
    parse_draws,
)
from server.domain.evaluation.methods.evaluating import Derivation, Line, Results, evaluate
from server.domain.evaluation.methods.fields import (
    ChoiceField,
    Draw,
    Field,
    FlagField,
    NumberField,
    ScoresField,
)
from server.domain.evaluation.methods.refusing import Misplaced
from server.domain.evaluation.methods.rendering import explain, render, why_ended
from server.domain.evaluation.methods.replaying import (
    example_of,
    parse_method,
    read_derivation,
    replay,
)
from server.domain.evaluation.methods.schema import Method
from server.domain.evaluation.methods.wording import LANGUAGES, Text, approximate

__all__ = [
    "LANGUAGES",
    "Bids",
    "ChoiceField",
    "Derivation",
    "Draw",
    "Draws",
    "Field",
    "FlagField",
    "Line",
    "Method",
    "Misplaced",
    "NumberField",
    "Results",
    "ScoresField",
    "Text",
    "approximate",
    "bids_of",
    "draws_of",
    "evaluate",
    "example_of",
    "explain",
    "needed_draws",
    "parse_bids",
    "parse_draws",
    "parse_method",
    "read_derivation",
    "render",
    "replay",
    "why_ended",
]
