"""What `kaibiao score` does (评标命令): read, evaluate, print.

Invariant: everything is read and checked before anything is printed or written.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from server.cli.files import new_files, read_within
from server.cli.scoring import shown
from server.cli.scoring.inputs import DELIVERED, Inputs, read_method
from server.cli.scoring.outlook import Asked, check_picture, draw
from server.cli.words import prefer
from server.domain.evaluation import comparison, simulation
from server.domain.evaluation import sensitivity as sensitive
from server.domain.evaluation.methods import (
    LANGUAGES,
    evaluate,
    needed_draws,
    parse_method,
    read_derivation,
    render,
)
from server.domain.evaluation.methods import explain as sentences
from server.domain.evaluation.methods.replaying import DERIVATION_BYTES_MAX


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, for what may take longer than a moment."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def score(
    inputs: Inputs, as_json: bool, derivation_path: Path | None, language: str | None
) -> None:
    speech = prefer(language)
    derivation = evaluate(*inputs.read())
    if derivation_path is not None:
        both = "\n---\n\n".join(render(derivation, each) for each in LANGUAGES)
        with new_files(derivation_path) as (file,):
            file.write(both.encode())
    if as_json:
        sys.stdout.buffer.write(derivation.to_json() + b"\n")
    else:
        shown.show_derivation(derivation, speech)


def replay(path: Path, language: str | None) -> None:
    speech = prefer(language)
    raw = read_within(path, DERIVATION_BYTES_MAX, "derivation.size")
    shown.show_derivation(read_derivation(raw.removesuffix(b"\n")), speech)
    shown.show_identical(speech)


def explain(name: str, language: str | None, as_json: bool) -> None:
    speech = prefer(language)
    method = read_method(name)
    said = sentences(method, speech)
    if not as_json:
        print("\n".join(said))
        return
    draws = [
        {"label": each.label, "order": each.is_order, "values": list(each.values)}
        for each in needed_draws(method)
    ]
    _print_json({"id": method.id, "version": method.version, "says": said, "draws": draws})


def methods(language: str | None) -> None:
    files = sorted(DELIVERED.iterdir(), key=lambda each: each.name)
    found = {f.name[:-5]: parse_method(f.read_bytes()) for f in files if f.name.endswith(".json")}
    shown.show_methods(found, prefer(language))


def simulate(
    inputs: Inputs, asked: Asked, as_json: bool, plot: Path | None, language: str | None
) -> None:
    speech = prefer(language)
    question = asked.question()
    if plot is not None:
        check_picture(plot)
    method = read_method(inputs.method)
    bids = inputs.read_bids(method)
    with _progress("simulating") as told:
        outlooks = simulation.simulate(method, bids, question, told)
    if plot is not None:
        draw(outlooks, plot)
    if not as_json:
        shown.show_outlooks(outlooks, question.own, speech)
        return
    _print_json(
        {
            "method": {"id": method.id, "version": method.version},
            "own": question.own,
            "vary": question.vary,
            "samples": question.samples,
            "spread_millionths": question.spread if question.is_sampled else 0,
            "seed": question.seed,
            "rows": [outlook.as_json() for outlook in outlooks],
        }
    )


def diff(second: str, inputs: Inputs, as_json: bool, language: str | None) -> None:
    speech = prefer(language)
    one, two = read_method(inputs.method), read_method(second)
    bids = inputs.read_values([one, two])
    found = comparison.compare(one, two, bids, inputs.read_draw_values())
    if as_json:
        _print_json(found.as_json())
    else:
        shown.show_comparison(found, speech)


def sensitivity(inputs: Inputs, as_json: bool, language: str | None) -> None:
    speech = prefer(language)
    method, bids, draws = inputs.read()
    with _progress("evaluating every case") as told:
        found = sensitive.sensitivity(method, bids, draws, told)
    if as_json:
        _print_json(found.as_json())
    else:
        shown.show_sensitivity(found, speech)
