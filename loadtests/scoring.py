"""scoring (评标计算): a whole evaluation of many bids by experts' marks, and its derivation.

8 criteria, 7 experts, one price; beside a bare loop with the same Decimal operations on the same
figures. No server and no sockets: what is measured is one core of this process. Aims: 1,000 bids
within a second, at most 3x the bare loop, and a cost that grows like n log n.
"""

import argparse
import gc
import json
import math
import random
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from loadtests import machine
from loadtests.report import Aim, Report, options, run, say
from server.domain.evaluation.methods import (
    Derivation,
    draws_of,
    evaluate,
    parse_bids,
    parse_method,
)

SIZES, SMALL_SIZES = (100, 1_000, 10_000), (100, 1_000, 4_000)
ROUNDS, SMALL_ROUNDS = 5, 3
CRITERIA, EXPERTS = 8, 7
JUDGED = 1_000  # the size whose figures the aims are about
WITHIN_S, RATIO = 1.0, 3.0
GROWTH = 1.5  # times n log n, between the smallest and the largest size
CEILING = "105000000.00"
CENT, FOUR = Decimal("0.01"), Decimal("0.0001")

Inputs = tuple[bytes, list[dict[str, Any]]]


def method_document() -> bytes:
    """Ceiling, one highest and lowest left out, mean, slopes, experts, total, ranking."""
    return Path(__file__).with_name("scoring_method.json").read_bytes()


def made_up(bids: int) -> Inputs:
    """The same figures every time: as JSON, and as the rows in it."""
    chance = random.Random(bids)
    rows: list[dict[str, Any]] = [
        {
            "id": str(n + 1),
            "price": f"{chance.randint(80_000_000, 110_000_000)}.{chance.randint(0, 99):02d}",
            "tech": {
                f"c{c}": [f"{chance.randint(20, 50) / 10:.1f}" for _ in range(EXPERTS)]
                for c in range(1, CRITERIA + 1)
            },
        }
        for n in range(bids)
    ]
    return json.dumps({"given": {"ceiling": CEILING}, "bids": rows}).encode(), rows


def ours(document: bytes, raw: bytes) -> Derivation:
    """From bytes to the derivation's bytes: what `kaibiao score --json` does."""
    method = parse_method(document)
    bids = parse_bids(method, raw)
    derivation = evaluate(method, bids, draws_of(method, bids, {}))
    derivation.to_json()
    return derivation


def bare(raw: bytes) -> tuple[Decimal, list[str]]:
    """The same operations on the same figures, written down once: (benchmark, ids in order)."""
    document = json.loads(raw)
    ceiling = Decimal(document["given"]["ceiling"])
    rows = [(row["id"], Decimal(row["price"]), row["tech"]) for row in document["bids"]]
    valid = [row for row in rows if row[1] <= ceiling]
    inside = sorted(price for _, price, _ in valid)[1:-1]
    benchmark = (sum(inside, Decimal(0)) / len(inside)).quantize(CENT, ROUND_HALF_UP)
    scored: list[tuple[Decimal, Decimal, str]] = []
    printed: list[dict[str, str]] = []
    for name, price, tech in valid:
        deviation = ((price - benchmark) / benchmark).quantize(FOUR, ROUND_HALF_UP)
        slope = Decimal("0.6") if deviation > 0 else Decimal("0.3")
        first = max(Decimal(0), 60 - abs(deviation) * 100 * slope).quantize(CENT, ROUND_HALF_UP)
        second = Decimal(0)
        for marks in tech.values():
            middle = sorted(map(Decimal, marks))[1:-1]
            second += (sum(middle, Decimal(0)) / len(middle)).quantize(CENT, ROUND_HALF_UP)
        total = (first + second).quantize(CENT, ROUND_HALF_UP)
        scored.append((-total, price, name))
        printed.append({"d": str(deviation), "S1": str(first), "S2": str(second), "S": str(total)})
    scored.sort()
    json.dumps([document, printed, [name for *_, name in scored]]).encode()
    return benchmark, [name for *_, name in scored]


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of the best round: what the work costs, not what the machine was doing."""
    best = math.inf
    for _ in range(rounds):
        gc.collect()
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def measure(arguments: argparse.Namespace) -> Report:
    sizes = SMALL_SIZES if arguments.small else SIZES
    if arguments.count:
        sizes = (100, JUDGED, arguments.count)
    rounds = SMALL_ROUNDS if arguments.small else ROUNDS
    document = method_document()
    figures: dict[str, Any] = {"criteria": CRITERIA, "experts": EXPERTS, "rounds": rounds}
    took: dict[int, tuple[float, float]] = {}
    for size in sizes:
        say(f"{size} bids")
        raw, _ = made_up(size)
        derivation, (benchmark, order) = ours(document, raw), bare(raw)
        assert derivation.value("B") == str(benchmark), "both compute the same"
        assert [bid for _, bid in derivation.results.ranking] == order
        both = (
            _seconds(lambda raw=raw: ours(document, raw), rounds),
            _seconds(lambda raw=raw: bare(raw), rounds),
        )
        took[size] = both
        figures[f"{size}_bids"] = {
            "ours_cpu_ms": round(both[0] * 1000, 2),
            "bare_loop_cpu_ms": round(both[1] * 1000, 2),
            "us_per_bid": round(both[0] / size * 1e6, 2),
            "derivation_bytes": len(derivation.to_json()),
        }
    ratio = machine.median([took[JUDGED][0] / took[JUDGED][1]])
    low, high = sizes[0], sizes[-1]
    expected = high * math.log(high) / (low * math.log(low))
    growth = took[high][0] / took[low][0] / expected
    figures["growth_over_n_log_n"] = round(growth, 3)
    aims = [
        Aim(f"{JUDGED} bids: CPU / bare loop", ratio, RATIO),
        Aim(f"{JUDGED} bids: CPU seconds", took[JUDGED][0], WITHIN_S),
        Aim(f"{low} to {high} bids: growth / (n log n)", growth, GROWTH),
    ]
    return Report("scoring", ratio, RATIO, aims, figures)


if __name__ == "__main__":
    run(measure, options("scoring", "bids of the largest size"))
