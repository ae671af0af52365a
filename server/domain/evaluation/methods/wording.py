"""A method in sentences (方法的文字表述): names, numbers, roundings and expressions, zh and en.

Invariant: pure text from a checked method; every name is shown as its author named it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from server.domain.evaluation.methods.expressions import (
    Arithmetic,
    Comparison,
    Constant,
    Expression,
    Function,
    Logic,
    Name,
    Negative,
    Not,
    Within,
    Word,
)
from server.domain.evaluation.methods.numbers import Number, Rounding, plain
from server.domain.evaluation.methods.reading import Node

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """The same in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def printed(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


def parse_text(node: Node, high: int = 400) -> Text:
    members = node.members(LANGUAGES)
    return Text(members["zh"].text(1, high), members["en"].text(1, high))


_SIGNS = {"*": "×", "/": "÷", "-": "−", "+": "+", "<=": "≤", ">=": "≥", "!=": "≠"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_FUNCTIONS = {
    "min": Text("较小者", "the lesser of "),
    "max": Text("较大者", "the greater of "),
}
_ROUNDINGS = {
    "half_up": Text("四舍五入", "half up"),
    "half_even": Text("四舍六入五成双", "half to even"),
    "truncate": Text("舍去尾数", "truncated"),
    "up": Text("进一", "up"),
}


def approximate(text: str, *, percent: bool = False) -> str:
    """A printed number for people: of a fraction also about how much it is, ``2/3 ≈ 0.6667``."""
    above, line, below = text.partition("/")
    if not line:
        return text
    of, unit, digits = (100, "%", 2) if percent else (1, "", 4)
    figures = len(str(abs(int(above)) * of // int(below))) + digits
    about = Context(prec=figures, rounding=ROUND_HALF_UP).divide(int(above) * of, int(below))
    return f"{text} ≈ {about:f}{unit}"


@dataclass(frozen=True, slots=True)
class Words:
    """How one method speaks in one language. ``labels``: name -> Text."""

    language: str
    labels: Mapping[str, Text]

    def pick(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def label(self, name: str) -> str:
        found = self.labels.get(name)
        return found.of(self.language) if found else name

    def number(self, value: Number) -> str:
        return plain(value)

    def percent(self, value: Number) -> str:
        """0.15 as 15%."""
        return plain(Decimal(100) * value if isinstance(value, Decimal) else value * 100) + "%"

    def points(self, value: Number) -> str:
        """60分, 1 point."""
        unit = "point" if value == 1 else "points"
        return plain(value) + self.pick("分", f" {unit}")

    def rounding(self, rounding: Rounding) -> str:
        if rounding.mode is None:
            return self.pick("不作取舍", "not rounded")
        mode = _ROUNDINGS[rounding.mode].of(self.language)
        digits = rounding.digits
        if digits > 0:
            places = "decimal" if digits == 1 else "decimals"
            return self.pick(f"保留{digits}位小数，{mode}", f"{digits} {places}, {mode}")
        unit = 10**-digits
        return self.pick(
            f"取整数，{mode}" if unit == 1 else f"取整到{unit}，{mode}",
            f"whole numbers, {mode}" if unit == 1 else f"multiples of {unit}, {mode}",
        )

    def expression(self, part: Expression, strength: int = 0) -> str:
        """``strength``: how strongly what stands around it binds."""
        match part:
            case Constant(text=text):
                return text
            case Name(name=name):
                return self.label(name)
            case Word(text=text):
                return self.pick(f"“{text}”", f"“{text}”")
            case Within(name=name):
                return self.pick(f"属于{self.label(name)}", f"is among {self.label(name)}")
            case Negative(of=of):
                return "−" + self.expression(of, 3)
            case Arithmetic(op=op, left=left, right=right):
                own = _STRENGTH[op]
                tight = own + (1 if op in "-/" else 0)
                both = f"{self.expression(left, own)} {_SIGNS[op]} {self.expression(right, tight)}"
                return self._bracketed(both, own < strength)
            case Function(name="abs", arguments=(inner,)):
                return f"|{self.expression(inner)}|"
            case Function(name="mod", arguments=(of, by)):
                of, by = self.expression(of, 3), self.expression(by, 3)
                return self.pick(f"（{of}除以{by}的余数）", f"({of} mod {by})")
            case Function(name=name, arguments=arguments):
                inner = self.pick("，", ", ").join(self.expression(one) for one in arguments)
                said = _FUNCTIONS[name].of(self.language)
                return self.pick(f"{said}（{inner}）", f"{said}({inner})")
            case _:
                return self._bracketed(self._condition(part), strength > 0)

    def _condition(self, part: Expression) -> str:
        match part:
            case Comparison(terms=terms, ops=ops):
                said = self.expression(terms[0], 1)
                for op, term in zip(ops, terms[1:], strict=True):
                    said += f" {_SIGNS.get(op, op)} {self.expression(term, 1)}"
                return said
            case Logic(op=op, parts=parts):
                joint = self.pick("且" if op == "and" else "或", f" {op} ")
                inner = (self.expression(one, isinstance(one, Logic)) for one in parts)
                return joint.join(inner)
            case Not(of=of):
                return self.pick("非", "not ") + self.expression(of, not isinstance(of, Within))
            case _:
                raise AssertionError(part)

    def _bracketed(self, said: str, needed: bool) -> str:
        if not needed:
            return said
        return self.pick(f"（{said}）", f"({said})")
