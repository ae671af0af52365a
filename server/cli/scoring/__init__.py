"""`kaibiao score` (评标计算): evaluate, simulate, explain, compare; every number follows from a
printed derivation.

A method is a file, or the name of one that is delivered with the program.
"""

from pathlib import Path
from typing import Annotated, Literal

import cyclopts

Language = Literal["zh", "en"]
Given = Annotated[
    list[str] | None,
    cyclopts.Parameter(help="NAME=VALUE, given with the tender, where the bids are a table"),
]
MethodName = Annotated[str, cyclopts.Parameter(help="a file, or the name of a delivered method")]
BidsPath = Annotated[Path, cyclopts.Parameter(help=".json, .csv or .xlsx")]
DrawsPath = Annotated[Path | None, cyclopts.Parameter(help="what was drawn, as JSON by label")]

app = cyclopts.App(name="score", help="Evaluate bids by a method that is a document (评标办法).")


@app.default
def score(
    *,
    method: MethodName,
    bids: BidsPath,
    draws: DrawsPath = None,
    given: Given = None,
    json: bool = False,
    derivation: Path | None = None,
    language: Language | None = None,
) -> None:
    """Benchmark, scores and ranking.

    Parameters
    ----------
    json: print the whole derivation as canonical JSON, to be kept and replayed.
    derivation: write the derivation for people, in Chinese and English (FILE.md).
    """
    from server.cli.scoring.commands import score
    from server.cli.scoring.inputs import Inputs

    score(Inputs(method, bids, draws, given or []), json, derivation, language)


@app.command
def simulate(
    *,
    method: MethodName,
    bids: BidsPath,
    own: str,
    low: Annotated[str, cyclopts.Parameter(name="--from")],
    high: Annotated[str, cyclopts.Parameter(name="--to")],
    step: str,
    vary: str = "price",
    samples: int = 0,
    spread: str = "3%",
    seed: str = "1",
    given: Given = None,
    json: bool = False,
    plot: Path | None = None,
    language: Language | None = None,
) -> None:
    """What an own price can expect, with every drawn coefficient enumerated.

    Parameters
    ----------
    own: the own bid's number among the bids; the others are the assumed rivals.
    low: the lowest own price, in yuan.
    high: the highest own price, in yuan.
    step: between two prices, in yuan.
    vary: which field of a bid is the price.
    samples: how often the rivals' prices are sampled; 0: as assumed.
    spread: how far a sampled price may lie from what was assumed.
    seed: the same seed gives the same samples.
    json: print the outlook as JSON.
    plot: draw chances and scores over prices (.svg or .png).
    """
    from server.cli.scoring.commands import simulate
    from server.cli.scoring.inputs import Inputs
    from server.cli.scoring.outlook import Asked

    asked = Asked(own, vary, low, high, step, samples, spread, seed)
    simulate(Inputs(method, bids, None, given or []), asked, json, plot, language)


@app.command
def explain(*, method: MethodName, language: Language | None = None, json: bool = False) -> None:
    """The method in plain sentences, and what has to be drawn for it."""
    from server.cli.scoring.commands import explain

    explain(method, language, json)


@app.command
def diff(
    first: str,
    second: str,
    *,
    bids: BidsPath,
    draws: DrawsPath = None,
    given: Given = None,
    json: bool = False,
    language: Language | None = None,
) -> None:
    """What two methods would do to the same bids.

    Parameters
    ----------
    first: a method.
    second: another.
    """
    from server.cli.scoring.commands import diff
    from server.cli.scoring.inputs import Inputs

    diff(second, Inputs(first, bids, draws, given or []), json, language)


@app.command
def sensitivity(
    *,
    method: MethodName,
    bids: BidsPath,
    draws: DrawsPath = None,
    given: Given = None,
    json: bool = False,
    language: Language | None = None,
) -> None:
    """Which single bid, and which drawn coefficient, decided the winner."""
    from server.cli.scoring.commands import sensitivity
    from server.cli.scoring.inputs import Inputs

    sensitivity(Inputs(method, bids, draws, given or []), json, language)


@app.command
def replay(derivation: Path, *, language: Language | None = None) -> None:
    """Compute a derivation kept as JSON again, from the inputs in it; refused if it differs."""
    from server.cli.scoring.commands import replay

    replay(derivation, language)


@app.command
def methods(*, language: Language | None = None) -> None:
    """The delivered methods."""
    from server.cli.scoring.commands import methods

    methods(language)
