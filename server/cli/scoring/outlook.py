"""The bidder's question in yuan and per cent (报价模拟的提问), and the picture of the answer.

Invariant: what is asked is read exactly, in fen and millionths; only the picture knows floats.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import Rejected
from crypto.text import parse_money
from server.domain.evaluation.simulation import SPREAD_DIGITS, Outlook, Question, price_range

_SPREAD = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,4}))?%")
PICTURES = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class Asked:
    """As it was typed."""

    own: str
    vary: str
    low: str
    high: str
    step: str
    samples: int
    spread: str
    seed: str

    def question(self) -> Question:
        """Raises Rejected ``simulate.*``."""
        low, high = _fen("--from", self.low), _fen("--to", self.high)
        step = _fen("--step", self.step)
        prices = price_range(low, high, step)
        spread = _millionths(self.spread)
        return Question(self.own, self.vary, prices, self.samples, spread, self.seed)


def _fen(option: str, text: str) -> int:
    """``98000000`` means ``98000000.00``."""
    try:
        return parse_money(text if "." in text else f"{text}.00")
    except Rejected as error:
        raise Rejected("simulate.range", f"{option} {text[:40]}: yuan, like 98000000.00") from error


def _millionths(text: str) -> int:
    found = _SPREAD.fullmatch(text)
    if found is None:
        raise Rejected("simulate.samples", f"a spread like 3% or 2.5%, not {text}")
    return int(found[1] + (found[2] or "").ljust(SPREAD_DIGITS - 2, "0"))


def check_picture(path: Path) -> None:
    """Before anything long begins. Code: ``simulate.plot``."""
    if path.suffix.lower() not in PICTURES:
        raise Rejected("simulate.plot", f"{path.name}: .svg or .png")


def draw(outlooks: Sequence[Outlook], path: Path) -> None:
    """Chance of the first place, and scores, over own prices; the same figures, the same bytes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    prices = [outlook.price / 100 for outlook in outlooks]
    with matplotlib.rc_context({"svg.hashsalt": "kaibiao", "svg.fonttype": "none"}):
        figure, chances = pyplot.subplots(figsize=(9, 5))
        won = [100 * outlook.wins / outlook.trials for outlook in outlooks]
        chances.plot(prices, won, color="#0b5cad", marker="o", label="first place, % of cases")
        chances.set_xlabel("own price, yuan")
        chances.set_ylabel("first place, %")
        chances.set_ylim(-3, 103)
        chances.ticklabel_format(axis="x", style="plain")
        chances.grid(alpha=0.3)
        scored = [outlook for outlook in outlooks if outlook.scores]
        if scored:
            _draw_scores(chances.twinx(), scored)
        figure.legend(loc="upper center", ncols=3)
        stamp = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
        figure.savefig(path, metadata=stamp)
        pyplot.close(figure)


def _draw_scores(axes, outlooks: Sequence[Outlook]) -> None:  # type: ignore[no-untyped-def]
    prices = [outlook.price / 100 for outlook in outlooks]
    axes.plot(
        prices,
        [float(outlook.mean_score or 0) for outlook in outlooks],
        color="#b3541e",
        linestyle="--",
        marker="s",
        label="mean score",
    )
    lows = [float(min(outlook.scores)) for outlook in outlooks]
    highs = [float(max(outlook.scores)) for outlook in outlooks]
    axes.fill_between(prices, lows, highs, color="#b3541e", alpha=0.15, label="lowest to highest")
    axes.set_ylabel("score")
