"""The report of one verification (验证报告): what held, what differs, what rests on whose word.

Invariant: a check either counts as held or leaves a mismatch that names a member; the verdict is
"agree" only without any mismatch. Words for people live in `texts_zh` and `texts_en`, by code.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MISMATCHES_MAX = 2_000  # A bundle may be hostile; nobody reads more.
SHOWN_MAX = 200


class UnreadableBundle(Exception):
    """The file is no bundle that could be judged; the code says why."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Mismatch:
    """One thing that differs: in which member, which check, what belongs there, what is there."""

    member: str
    check: str
    expected: str
    found: str


@dataclass(frozen=True)
class Remark:
    """A sentence of the lists *word of* and *not checkable*, by code, with what fills it in."""

    code: str
    values: dict[str, str]


def shown(value: Any) -> str:
    """A value as people see it: bytes as hex, cut to a readable length."""
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"


@dataclass
class Report:
    """Collects the outcome of every check. `facts` are values worth showing, such as 截标指纹."""

    held: Counter[str] = field(default_factory=Counter[str])
    mismatches: list[Mismatch] = field(default_factory=list[Mismatch])
    word_of: list[Remark] = field(default_factory=list[Remark])
    not_checkable: list[Remark] = field(default_factory=list[Remark])
    facts: dict[str, str] = field(default_factory=dict[str, str])
    unreadable: UnreadableBundle | None = None

    @property
    def verdict(self) -> str:
        """ "agree", "mismatch" or "unreadable"."""
        if self.unreadable is not None:
            return "unreadable"
        return "mismatch" if self.mismatches else "agree"

    @property
    def exit_code(self) -> int:
        """0 all agree, 1 a named mismatch, 2 unreadable (formats §8)."""
        return {"agree": 0, "mismatch": 1, "unreadable": 2}[self.verdict]

    def check(
        self, code: str, holds: bool, member: str, expected: Any = "", found: Any = ""
    ) -> bool:
        """Record one check `group.what` and give back whether it holds."""
        if holds:
            self.held[code.split(".")[0]] += 1
            return True
        mismatch = Mismatch(member, code, shown(expected), shown(found))
        if len(self.mismatches) < MISMATCHES_MAX and mismatch not in self.mismatches[-50:]:
            self.mismatches.append(mismatch)
        return False

    def differs(self, code: str, member: str, expected: Any = "", found: Any = "") -> None:
        """Record a mismatch found without a condition of its own."""
        self.check(code, False, member, expected, found)

    def on_word_of(self, code: str, **values: Any) -> None:
        """List something that this bundle asks to be believed."""
        self.word_of.append(Remark(code, {name: shown(value) for name, value in values.items()}))
