"""Evaluating (计算): a method meets bids and draws, and every step leaves a line.

Invariant: the same method, bids and draws give the same derivation, byte by byte, in whatever order
the bids came; a printed derivation carries all that is needed to compute it again.
"""

from dataclasses import dataclass
from decimal import localcontext

from crypto.canonical import Json, encode
from server.domain.evaluation.methods.bids import Bids, Draws
from server.domain.evaluation.methods.computing import Failed, State
from server.domain.evaluation.methods.numbers import EXACT, fixed, plain
from server.domain.evaluation.methods.schema import Method
from server.domain.evaluation.methods.steps.ranking import Rank
from server.domain.evaluation.methods.steps.step import (
    ColumnOutput,
    HoldsOutput,
    NumberOutput,
    Output,
    RankOutput,
    SetOutput,
    Step,
)

DERIVATION_VERSION = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One step as it went. ``output`` None: the evaluation ended here, for the ``failure``."""

    step: Step
    numbers: dict[str, str]  # inputs that are one number, as text
    sets: dict[str, int]  # inputs that are sets, with their size
    columns: tuple[str, ...]  # inputs that differ from bid to bid: printed where they were made
    output: Output | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """What follows. ``ranking``: (place, bid) in order, empty if the evaluation ended early.

    ``left_out``: bid -> id of the first step that left it out of what is ranked.
    ``shown``: what the method points out, role -> text, or bid -> text.
    """

    ranked: bool
    ranking: tuple[tuple[int, str], ...]
    left_out: dict[str, str]
    candidates: tuple[str, ...]
    shown: dict[str, str | dict[str, str]]
    failed_at: str = ""
    failure: str = ""

    @property
    def winner(self) -> str | None:
        return self.ranking[0][1] if self.ranking else None

    def place(self, bid_id: str) -> int | None:
        return next((place for place, found in self.ranking if found == bid_id), None)


@dataclass(frozen=True, slots=True)
class Derivation:
    """The ordered steps of one evaluation, and what follows from them."""

    method: Method
    bids: Bids
    draws: Draws
    lines: tuple[Line, ...]
    results: Results

    def value(self, step_id: str) -> str:
        """The number that a step gave, as printed. KeyError if it gave none."""
        output = self._output(step_id)
        if not isinstance(output, NumberOutput):
            raise KeyError(step_id)
        return fixed(output.value, output.digits)

    def column(self, step_id: str) -> dict[str, str]:
        """The numbers that a step gave for each bid, as printed. KeyError if it gave none."""
        output = self._output(step_id)
        if not isinstance(output, ColumnOutput):
            raise KeyError(step_id)
        return print_column(output, self.bids.ids)

    def members(self, step_id: str) -> tuple[str, ...]:
        """The bids of the set that a step gave. KeyError if it gave none."""
        output = self._output(step_id)
        if not isinstance(output, SetOutput):
            raise KeyError(step_id)
        return tuple(self.bids.ids[i] for i in output.inside)

    def _output(self, step_id: str) -> Output | None:
        for line in self.lines:
            if line.step.head.id == step_id:
                return line.output
        raise KeyError(step_id)

    def as_json(self) -> Json:
        return {
            "kaibiao_derivation": DERIVATION_VERSION,
            "method": self.method.document,
            "method_sha256": self.method.digest.hex(),
            "bids": self.bids.document,
            "draws": self.draws.document,
            "steps": [_print_line(line, self.bids.ids) for line in self.lines],
            "results": _print_results(self.results),
        }

    def to_json(self) -> bytes:
        """Its JCS: the bytes to sign, to keep, and to replay."""
        return encode(self.as_json())


def evaluate(method: Method, bids: Bids, draws: Draws) -> Derivation:
    """Every step in order. Never raises for what its readers let through."""
    state = _start(method, bids, draws)
    lines: list[Line] = []
    with localcontext(EXACT):
        for step in method.steps:
            numbers, sets, columns = _inputs(step, state)
            try:
                output = step.run(state)
            except Failed as failed:
                lines.append(Line(step, numbers, sets, columns, None, failed.reason))
                break
            _keep(step.head.id, output, state)
            lines.append(Line(step, numbers, sets, columns, output))
    results = _results(method, tuple(lines), state)
    return Derivation(method, bids, draws, tuple(lines), results)


def _start(method: Method, bids: Bids, draws: Draws) -> State:
    state = State(len(bids.ids), bids.ids)
    state.numbers.update(bids.given)
    state.numbers.update(draws.numbers)
    state.columns.update(bids.numbers)
    state.words.update(bids.words)
    state.flags.update(bids.flags)
    state.scores.update(bids.scores)
    state.orders.update(draws.orders)
    state.sets["bids"] = tuple(range(state.count))
    return state


def _keep(name: str, output: Output, state: State) -> None:
    match output:
        case SetOutput(inside=inside):
            state.sets[name] = inside
        case NumberOutput(value=value):
            state.numbers[name] = value
        case ColumnOutput(over=over, values=values):
            state.columns[name] = state.spread(over, values)
        case HoldsOutput() | RankOutput():
            pass


def _inputs(step: Step, state: State) -> tuple[dict[str, str], dict[str, int], tuple[str, ...]]:
    names = dict.fromkeys(step.uses)
    numbers = {name: plain(state.numbers[name]) for name in names if name in state.numbers}
    sets = {name: len(state.sets[name]) for name in names if name in state.sets}
    columns = tuple(name for name in names if name not in numbers and name not in sets)
    return numbers, sets, columns


def _results(method: Method, lines: tuple[Line, ...], state: State) -> Results:
    last = lines[-1]
    left_out: dict[str, str] = {}
    shown: dict[str, str | dict[str, str]] = {}
    for line in lines:
        step_id = line.step.head.id
        if isinstance(line.output, SetOutput) and step_id in method.within:
            for i in line.output.outside:
                left_out.setdefault(state.ids[i], step_id)
        for role, name in method.shows.items():
            if name == step_id and isinstance(line.output, NumberOutput):
                shown[role] = fixed(line.output.value, line.output.digits)
            if name == step_id and isinstance(line.output, ColumnOutput):
                shown[role] = print_column(line.output, state.ids)
    if not isinstance(last.output, RankOutput):
        return Results(False, (), left_out, (), shown, last.step.head.id, last.failure)
    ranking = tuple((place, state.ids[i]) for place, i in last.output.places)
    assert isinstance(last.step, Rank)
    candidates = tuple(bid for place, bid in ranking if place <= last.step.candidates)
    return Results(True, ranking, left_out, candidates, shown)


# ---- as JSON


def print_column(output: ColumnOutput, ids: tuple[str, ...]) -> dict[str, str]:
    digits = output.digits
    return {
        ids[i]: fixed(value, digits) for i, value in zip(output.over, output.values, strict=True)
    }


def _print_line(line: Line, ids: tuple[str, ...]) -> Json:
    head, rounding = line.step.head, line.step.rounding
    return {
        "id": head.id,
        "do": head.kind,
        "clause": dict[str, Json](head.clause.printed()),
        "rounding": _rounding(rounding.printed()) if rounding else "none",
        "inputs": {
            "numbers": dict[str, Json](line.numbers),
            "sets": dict[str, Json](line.sets),
            "columns": list[Json](line.columns),
        },
        "output": {"failed": line.failure} if line.output is None else _print(line.output, ids),
    }


def _rounding(printed: str | dict[str, str | int]) -> Json:
    return printed if isinstance(printed, str) else dict[str, Json](printed)


def _print(output: Output, ids: tuple[str, ...]) -> Json:
    match output:
        case SetOutput(inside=inside, outside=outside):
            return {"in": [ids[i] for i in inside], "out": [ids[i] for i in outside]}
        case NumberOutput(value=value, exact=exact, digits=digits):
            return {"value": fixed(value, digits), "exact": plain(exact)}
        case ColumnOutput():
            return {"values": dict[str, Json](print_column(output, ids))}
        case HoldsOutput():
            return {"holds": True}
        case RankOutput(places=places):
            return {"ranking": [[place, ids[i]] for place, i in places]}


def _print_results(results: Results) -> Json:
    printed: dict[str, Json] = {
        "outcome": "ranked" if results.ranked else "ended",
        "left_out": dict[str, Json](results.left_out),
        "shown": {
            role: found if isinstance(found, str) else dict[str, Json](found)
            for role, found in results.shown.items()
        },
        "candidates": list[Json](results.candidates),
        "ranking": [[place, bid] for place, bid in results.ranking],
    }
    if not results.ranked:
        printed["ended_at"], printed["reason"] = results.failed_at, results.failure
    return printed
