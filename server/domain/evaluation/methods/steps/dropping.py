"""How many of the highest and lowest are left out (去掉几个最高、最低), in three ways.

By a table of n, by shares of n, or down to a middle number. Used for prices and for experts.
Invariant: whatever n >= 1 is, something stays; a rule that can leave nothing is refused when read.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from server.domain.evaluation.methods.numbers import Rounding, parse_rounding
from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.wording import Words

ROWS_MAX = 32
COUNT_MAX = 1_000
SHARE_MAX = Decimal("0.9")  # of both together, so that from COUNT_MAX on something surely stays


@dataclass(frozen=True, slots=True)
class ByTable:
    """Rows (from n on, highest, lowest), ascending."""

    rows: tuple[tuple[int, int, int], ...]

    def counts(self, n: int) -> tuple[int, int]:
        found = (0, 0)
        for start, highest, lowest in self.rows:
            if start <= n:
                found = (highest, lowest)
        return found

    def say(self, words: Words, *, of_bids: bool) -> str:
        said: list[str] = []
        for i, (start, highest, lowest) in enumerate(self.rows):
            end = self.rows[i + 1][0] - 1 if i + 1 < len(self.rows) else None
            span = _span(start, end, words) if of_bids else _span_of_n(start, end)
            dropped = _dropped(highest, lowest, words, of_bids)
            said.append(span + words.pick("时", ": ") + dropped)
        return words.pick("；", "; ").join(said)


@dataclass(frozen=True, slots=True)
class ByShare:
    highest: Decimal
    lowest: Decimal
    rounding: Rounding

    def counts(self, n: int) -> tuple[int, int]:
        high, low = (self.rounding.apply(n * share) for share in (self.highest, self.lowest))
        return int(high), int(low)

    def say(self, words: Words, *, of_bids: bool) -> str:
        high, low = words.percent(self.highest), words.percent(self.lowest)
        rounding = words.rounding(self.rounding)
        return words.pick(
            f"去掉最高的{high}和最低的{low}（{'家数' if of_bids else '个数'}{rounding}）",
            f"the highest {high} and the lowest {low} are left out (their number: {rounding})",
        )


@dataclass(frozen=True, slots=True)
class ToMiddle:
    """``odd``: the side that loses one more when the rest cannot be halved."""

    keep: int
    odd: str

    def counts(self, n: int) -> tuple[int, int]:
        excess = max(n - self.keep, 0)
        more, less = (excess + 1) // 2, excess // 2
        return (more, less) if self.odd == "highest" else (less, more)

    def say(self, words: Words, *, of_bids: bool) -> str:
        keep, unit = self.keep, _unit(of_bids)
        side = words.pick(
            "高" if self.odd == "highest" else "低", "high" if self.odd == "highest" else "low"
        )
        return words.pick(
            f"取居中的{keep}{unit}，应去掉的{unit}数为奇数时，最{side}端多去掉一{unit}；"
            f"不足{keep}{unit}时全部保留",
            f"the middle {keep} stay; if the rest cannot be halved, one more goes on the "
            f"{side} side; of {keep} or fewer, all stay",
        )


Drop: TypeAlias = ByTable | ByShare | ToMiddle


def drops_nothing(drop: Drop) -> bool:
    return isinstance(drop, ByTable) and not any(row[1] or row[2] for row in drop.rows)


def _unit(of_bids: bool) -> str:
    return "家" if of_bids else "个"


def _span(start: int, end: int | None, words: Words) -> str:
    """How many bids there are."""
    if end is None:
        return words.pick(f"{start}家及以上", f"of {start} or more")
    if end > start:
        return words.pick(f"{start}至{end}家", f"of {start} to {end}")
    return words.pick(f"{end}家", f"of {end}")


def _span_of_n(start: int, end: int | None) -> str:
    """How many marks there are; n is said to be the number of experts."""
    return f"n≥{start}" if end is None else f"n={start}–{end}" if end > start else f"n={end}"


def _dropped(highest: int, lowest: int, words: Words, of_bids: bool) -> str:
    if highest == lowest == 0:
        return words.pick("不去掉", "none is left out")
    parts = [(highest, "最高", "highest"), (lowest, "最低", "lowest")]
    unit = _unit(of_bids)
    zh = "、".join(f"{side}的{count}{unit}" for count, side, _ in parts if count)
    en = " and ".join(f"the {count} {side}" for count, _, side in parts if count)
    return words.pick(f"去掉{zh}", f"{en} left out")


def parse_drop(node: Node, exempt: frozenset[int] = frozenset()) -> Drop:
    """{"table": [...]}, {"share": {...}} or {"middle": {...}}; ``exempt``: n ruled otherwise.

    Code: method.empties if for some n nothing would stay.
    """
    members = node.members((), ("table", "share", "middle"))
    if len(members) != 1:
        raise node.refuse("missing", "one of table, share, middle")
    ((way, part),) = members.items()
    drop = {"table": _table, "share": _share, "middle": _middle}[way](part)
    for n in range(1, COUNT_MAX):
        if n not in exempt and sum(drop.counts(n)) >= n:
            raise part.refuse("empties", f"of {n} nothing would stay")
    return drop


def _table(node: Node) -> Drop:
    rows: list[tuple[int, int, int]] = []
    for item in node.items(1, ROWS_MAX):
        row = item.members(("from", "highest", "lowest"))
        low = rows[-1][0] + 1 if rows else 1
        start = row["from"].integer(low, COUNT_MAX)
        highest, lowest = (row[side].integer(0, COUNT_MAX) for side in ("highest", "lowest"))
        if highest + lowest >= COUNT_MAX:
            raise item.refuse("empties")
        rows.append((start, highest, lowest))
    return ByTable(tuple(rows))


def _share(node: Node) -> Drop:
    members = node.members(("highest", "lowest", "round"))
    highest, lowest = (members[side].decimal() for side in ("highest", "lowest"))
    if min(highest, lowest) < 0 or highest + lowest > SHARE_MAX:
        raise node.refuse("range", "shares of 0% to 90% together")
    rounding = parse_rounding(members["round"])
    if rounding.mode is None or rounding.digits != 0:
        raise members["round"].refuse("range", "a number of bids is whole: digits 0")
    return ByShare(highest, lowest, rounding)


def _middle(node: Node) -> Drop:
    members = node.members(("keep", "odd"))
    keep = members["keep"].integer(1, COUNT_MAX)
    return ToMiddle(keep, members["odd"].one_of(("highest", "lowest")))
