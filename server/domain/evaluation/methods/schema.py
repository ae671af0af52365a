"""A method (评标办法) as a document: what it is, what it takes, its steps.

``read_method`` takes it apart member by member and checks every step against the names before it;
what comes out can be evaluated without a further question. docs/methods.md is the reference.

Invariant: a method is immutable and finite: steps refer backwards only, so there is nothing that
could go round or never end.
"""

import re
from dataclasses import dataclass
from decimal import localcontext
from typing import cast

from crypto.canonical import Json, encode
from crypto.hashes import sha256
from server.domain.evaluation.methods.expressions import KEYWORDS
from server.domain.evaluation.methods.fields import (
    Draw,
    Field,
    NumberField,
    ScoresField,
    amount,
    meaning_of_draw,
    meaning_of_field,
    read_draw,
    read_field,
    read_given,
)
from server.domain.evaluation.methods.numbers import EXACT
from server.domain.evaluation.methods.reading import NAME, Node
from server.domain.evaluation.methods.scope import ALL_BIDS, Amount, Meaning, Scope
from server.domain.evaluation.methods.steps import KINDS
from server.domain.evaluation.methods.steps.ranking import Rank
from server.domain.evaluation.methods.steps.step import Head, Step
from server.domain.evaluation.methods.wording import Text, Words, parse_text

SCHEMA_VERSION = 1
METHOD_BYTES_MAX = 256 * 1024
STEPS_MAX = 200
NAMES_MAX = 64
STEP_MEMBERS_MAX = 24
SOURCES_MAX = 16
STATUSES = ("confirmed", "unconfirmed")
ROLES = ("benchmark", "deviation", "price_score", "score")  # what a method may point out

_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_REQUIRED = ("kaibiao_method", "id", "version", "name", "status", "source", "fields", "steps")
_OPTIONAL = ("given", "draws", "shows", "example")
_HEAD = ("id", "do", "name", "clause")


@dataclass(frozen=True, slots=True)
class Method:
    """Read and checked. ``document``: its JSON; ``digest``: SHA-256 of its JCS."""

    id: str
    version: int
    name: Text
    confirmed: bool
    sources: tuple[Text, ...]
    given: dict[str, NumberField]
    fields: dict[str, Field]
    draws: dict[str, Draw]
    steps: tuple[Step, ...]
    shows: dict[str, str]
    example: Node | None
    document: Json
    digest: bytes
    labels: dict[str, Text]
    work: int  # parts of its expressions: what one bid costs
    within: frozenset[str]  # the sets that surely hold every ranked bid

    def words(self, language: str) -> Words:
        return Words(language, self.labels)


class _Reader:
    """Gathers names and labels while a document is read from its beginning to its end."""

    def __init__(self) -> None:
        self.scope = Scope()
        self.labels = {ALL_BIDS: Text("全部投标", "all bids")}

    def give(self, name: str, meaning: Meaning, text: Text, node: Node) -> None:
        self.scope.give(name, meaning, node)
        self.labels[name] = text

    def given(self, node: Node | None) -> dict[str, NumberField]:
        found: dict[str, NumberField] = {}
        for name, part in _named(node):
            found[name] = read_given(part)
            self.give(name, amount(found[name], None), found[name].name, part)
        return found

    def fields(self, node: Node) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for name, part in _named(node):
            field = found[name] = read_field(part)
            self.give(name, meaning_of_field(field), field.name, part)
            if isinstance(field, ScoresField):
                for criterion, (text, _) in field.criteria.items():
                    self.labels[f"{name}.{criterion}"] = text
        return found

    def draws(self, node: Node | None) -> dict[str, Draw]:
        found: dict[str, Draw] = {}
        for name, part in _named(node):
            draw = read_draw(name, part)
            if any(draw.label == other.label for other in found.values()):
                raise part.child("label", None).refuse("twice", "another draw has this label")
            found[name] = draw
            self.give(name, meaning_of_draw(draw), draw.name, part)
        return found

    def steps(self, node: Node) -> tuple[Step, ...]:
        items = node.items(1, STEPS_MAX)
        heads = [_read_head(item) for item in items]
        self.scope.needs = _needs(heads)
        for (head, _), item in zip(heads, items, strict=True):
            if (head.kind == "rank") != (item is items[-1]):
                raise item.child("do", None).refuse("no_ranking")
        return tuple(self._step(*found) for found in heads)

    def _step(self, head: Head, members: dict[str, Node]) -> Step:
        self.scope.reading = head.id
        step, meaning = KINDS[head.kind].read(head, members, self.scope)
        if meaning is not None:
            self.scope.give(head.id, meaning, members["id"])
        elif head.id in self.scope:
            raise members["id"].refuse("twice", f"the name {head.id} is already given")
        self.labels[head.id] = head.name
        return step


def read_method(node: Node) -> Method:
    """The method of a document. Raises Misplaced ``method.*``."""
    with localcontext(EXACT):
        return _read_method(node)


def _read_method(node: Node) -> Method:
    members = node.members(_REQUIRED, _OPTIONAL)
    members["kaibiao_method"].integer(SCHEMA_VERSION, SCHEMA_VERSION)
    if "example" in members:
        members["example"].check_plain()
    reader = _Reader()
    given = reader.given(members.get("given"))
    fields = reader.fields(members["fields"])
    draws = reader.draws(members.get("draws"))
    steps = reader.steps(members["steps"])
    for name in draws:
        if name not in reader.scope.used:
            raise members["draws"].child(name, None).refuse("never_drawn")
    rank = steps[-1]
    assert isinstance(rank, Rank)
    document = cast("Json", node.value)
    return Method(
        id=_read_id(members["id"]),
        version=members["version"].integer(1, 10_000),
        name=parse_text(members["name"]),
        confirmed=members["status"].one_of(STATUSES) == "confirmed",
        sources=tuple(parse_text(item) for item in members["source"].items(1, SOURCES_MAX)),
        given=given,
        fields=fields,
        draws=draws,
        steps=steps,
        shows=_read_shows(members.get("shows"), reader.scope),
        example=members.get("example"),
        document=document,
        digest=sha256(encode(document)),
        labels=reader.labels,
        work=reader.scope.work + len(steps),
        within=reader.scope.a_set(members["steps"], rank.source),
    )


def _read_id(node: Node) -> str:
    text = node.text(1, 64)
    if _ID.fullmatch(text) is None:
        raise node.refuse("text", "lower-case letters and digits, joined by - or .")
    return text


def _named(node: Node | None) -> list[tuple[str, Node]]:
    """Members whose names become names of the method."""
    entries = node.entries(NAMES_MAX) if node else {}
    for name, part in entries.items():
        if NAME.fullmatch(name) is None:
            raise part.refuse("text", "a name has letters, digits and _ only, at most 32")
        _refuse_keyword(name, part)
    return list(entries.items())


def _refuse_keyword(name: str, node: Node) -> None:
    if name in KEYWORDS:
        raise node.refuse("text", f"{name} has a meaning of its own in expressions")


def _read_head(item: Node) -> tuple[Head, dict[str, Node]]:
    entries = item.entries(STEP_MEMBERS_MAX)
    if "do" not in entries:
        raise item.child("do", None).refuse("missing")
    kind = KINDS[entries["do"].one_of(KINDS)]
    members = item.members((*_HEAD, *kind.required), kind.optional)
    step_id = members["id"].name()
    _refuse_keyword(step_id, members["id"])
    name, clause = parse_text(members["name"]), parse_text(members["clause"])
    return Head(step_id, kind.name, name, clause, item.place), members


def _needs(heads: list[tuple[Head, dict[str, Node]]]) -> dict[str, set[str]]:
    """For each step the steps that its text seems to speak of; tells a cycle from a wrong order."""
    ids = {head.id for head, _ in heads}
    needs: dict[str, set[str]] = {}
    for head, members in heads:
        said = " ".join(
            _all_text(node.value) for name, node in members.items() if name not in _HEAD
        )
        needs.setdefault(head.id, set()).update(ids.intersection(_WORD.findall(said)))
    return needs


def _all_text(value: object) -> str:
    """Every text below a value; the depth is bounded by the reader."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        return " ".join(_all_text(inner) for inner in pairs.values())
    if isinstance(value, list):
        return " ".join(_all_text(inner) for inner in cast("list[object]", value))
    return ""


def _read_shows(node: Node | None, scope: Scope) -> dict[str, str]:
    """Which steps are the benchmark, the score ...: for tables and summaries."""
    members = node.members((), ROLES) if node else {}
    for part in members.values():
        found = scope.meaning(part.name(), part)
        if not isinstance(found, Amount):
            raise part.refuse("wrong_name", "no number")
    return {role: part.name() for role, part in members.items()}
