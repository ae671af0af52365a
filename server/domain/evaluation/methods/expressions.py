"""Expressions of a method (算式): arithmetic and conditions as a lawyer would write them.

``0.85 * ceiling <= price <= ceiling``, ``(price - B) / B``, ``in(valid) and credit = 'AA'``.
There are numbers (also 15%), names, + - * /, brackets, min max abs mod, comparisons, and or not,
``in(set)``, and a comparison of a choice with a quoted word. No loops, no rounding, no calls.

Invariant: whatever text comes in, it is read in time linear in its length and nests at most
NESTING_MAX deep; every part knows at which character it stands.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from server.domain.evaluation.methods.reading import Node
from server.domain.evaluation.methods.refusing import Misplaced

CHARACTERS_MAX = 400
NESTING_MAX = 16
FUNCTIONS = {"min": (2, 8), "max": (2, 8), "abs": (1, 1), "mod": (2, 2)}
KEYWORDS = frozenset({*FUNCTIONS, "and", "or", "not", "in"})
COMPARISONS = ("<=", ">=", "!=", "<", ">", "=")

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]{1,18}(?:\.[0-9]{1,12})?%?)(?![\w.])"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]{0,31})(?!\w)"
    r"|(?P<quoted>'[^']{1,64}')"
    r"|(?P<sign><=|>=|!=|[-+*/(),<>=]))",
    re.ASCII,
)


_BLANKS = " \t\n\r\f\v"  # what the pattern takes for a blank
# What people type on a Chinese keyboard or copy from a document; NFKC knows the full-width forms.
_SPELLINGS = {
    **dict.fromkeys("×·✕", "*"),
    "÷": "/",
    **dict.fromkeys("−–—", "-"),
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    **dict.fromkeys("【［[{", "("),
    **dict.fromkeys("】］]}", ")"),
    **dict.fromkeys("、;；", ","),
    **dict.fromkeys('‘’“”"＂＇', "'"),
    **dict.fromkeys("且&＆", "and"),
    **dict.fromkeys("或|｜", "or"),
    "非": "not",
    "。": ".",
}


@dataclass(frozen=True, slots=True)
class Constant:
    value: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Negative:
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    op: str
    left: "Expression"
    right: "Expression"
    at: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: "tuple[Expression, ...]"
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``first op second op third``: all must hold."""

    terms: "tuple[Expression, ...]"
    ops: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Word:
    """A quoted word of a choice."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Logic:
    op: str
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Within:
    """``in(set)``: the bid is one of that set."""

    name: str
    at: int


Expression: TypeAlias = (
    Constant | Name | Negative | Arithmetic | Function | Comparison | Word | Logic | Not | Within
)


def _unreadable(character: str) -> str:
    """What stands there, and how it is written here."""
    said = character if character.isprintable() else f"U+{ord(character):04X}"
    written = _SPELLINGS.get(character) or unicodedata.normalize("NFKC", character)
    if written != character and written.isascii():
        return f"{said} cannot be read; write {written.strip() or 'a blank'}"
    if not character.isascii() and character.isalpha():
        return f"{said} cannot be read; a name has letters a to z, digits and _"
    return f"{said} cannot be read"


def parse_expression(node: Node) -> Expression:
    """The expression of a text member. Code: method.expression, with the character."""
    if not isinstance(node.value, str):
        raise node.wrong("an expression as text")
    if not 1 <= len(node.value) <= CHARACTERS_MAX:
        raise node.refuse("expression", f"1 to {CHARACTERS_MAX} characters")
    return _Parser(node, node.value).whole()


def names_of(expression: Expression) -> tuple[str, ...]:
    """Every name, also of sets, in the order of first use."""
    found: dict[str, None] = {}

    def walk(part: Expression) -> None:
        match part:
            case Name(name=name) | Within(name=name):
                found[name] = None
            case Negative(of=of) | Not(of=of):
                walk(of)
            case Arithmetic(left=left, right=right):
                walk(left)
                walk(right)
            case Function(arguments=inner) | Comparison(terms=inner) | Logic(parts=inner):
                for one in inner:
                    walk(one)
            case Constant() | Word():
                pass

    walk(expression)
    return tuple(found)


class _Parser:
    """Recursive descent; one method for each strength of binding."""

    def __init__(self, node: Node, text: str) -> None:
        self._node = node
        self._tokens: list[tuple[str, str, int]] = []  # kind, text, character
        self._next = 0
        self._depth = 0
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                at += len(text[at:]) - len(text[at:].lstrip(_BLANKS))
                raise self._wrong(at, _unreadable(text[at]))
            kind = found.lastgroup
            word = found[kind]
            if kind == "name" and word in KEYWORDS:
                kind = "sign"
            self._tokens.append((kind, word, found.start(found.lastgroup)))
            at = found.end()
        self._tokens.append(("end", "", end))

    def whole(self) -> Expression:
        result = self._any()
        kind, word, at = self._tokens[self._next]
        if kind != "end":
            raise self._wrong(at, f"unexpected {word}")
        return result

    def _wrong(self, at: int, why: str) -> Misplaced:
        return self._node.refuse("expression", f"character {at + 1}: {why}")

    def _is(self, *signs: str) -> bool:
        kind, word, _ = self._tokens[self._next]
        return kind == "sign" and word in signs

    def _take(self) -> tuple[str, str, int]:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _demand(self, sign: str) -> None:
        if not self._is(sign):
            raise self._wrong(self._tokens[self._next][2], f"expected {sign}")
        self._next += 1

    def _deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > NESTING_MAX:
            raise self._wrong(self._tokens[self._next][2], "nested too deeply")

    def _any(self) -> Expression:
        parts = [self._all()]
        while self._is("or"):
            self._take()
            parts.append(self._all())
        return Logic("or", tuple(parts)) if len(parts) > 1 else parts[0]

    def _all(self) -> Expression:
        parts = [self._condition()]
        while self._is("and"):
            self._take()
            parts.append(self._condition())
        return Logic("and", tuple(parts)) if len(parts) > 1 else parts[0]

    def _condition(self) -> Expression:
        if self._is("not"):
            self._take()
            self._deeper(1)
            inner = self._condition()
            self._deeper(-1)
            return Not(inner)
        terms, ops = [self._sum()], list[str]()
        at = self._tokens[self._next][2]
        while self._is(*COMPARISONS):
            ops.append(self._take()[1])
            terms.append(self._sum())
        return Comparison(tuple(terms), tuple(ops), at) if ops else terms[0]

    def _sum(self) -> Expression:
        left = self._product()
        while self._is("+", "-"):
            _, op, at = self._take()
            left = Arithmetic(op, left, self._product(), at)
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self._is("*", "/"):
            _, op, at = self._take()
            left = Arithmetic(op, left, self._signed(), at)
        return left

    def _signed(self) -> Expression:
        if self._is("-"):
            self._take()
            self._deeper(1)
            inner = self._signed()
            self._deeper(-1)
            return Negative(inner)
        return self._single()

    def _single(self) -> Expression:
        kind, word, at = self._take()
        if kind == "number":
            digits = word.removesuffix("%")
            shift = 2 if word.endswith("%") else 0
            sign, figures, exponent = Decimal(digits).as_tuple()
            assert isinstance(exponent, int)
            return Constant(Decimal((sign, figures, exponent - shift)), word)
        if kind == "name":
            return Name(word, at)
        if kind == "quoted":
            return Word(word[1:-1], at)
        if word == "(":
            self._deeper(1)
            inner = self._any()
            self._deeper(-1)
            self._demand(")")
            return inner
        if word == "in":
            return self._within(at)
        if word in FUNCTIONS:
            return self._function(word, at)
        raise self._wrong(at, f"unexpected {word}" if word else "something is missing")

    def _within(self, at: int) -> Expression:
        self._demand("(")
        kind, name, where = self._take()
        if kind != "name":
            raise self._wrong(where, "expected the name of a set")
        self._demand(")")
        return Within(name, at)

    def _function(self, word: str, at: int) -> Expression:
        self._demand("(")
        self._deeper(1)
        arguments = [self._any()]
        while self._is(","):
            self._take()
            arguments.append(self._any())
        self._deeper(-1)
        self._demand(")")
        low, high = FUNCTIONS[word]
        if not low <= len(arguments) <= high:
            raise self._wrong(at, f"{word} takes {low} to {high} values")
        return Function(word, tuple(arguments), at)
