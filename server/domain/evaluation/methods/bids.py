"""The bids and the draws of one evaluation (投标数据与抽取结果): read against a method.

Invariant: a bid that is in has every field of its method, within its limits and in its one spelling
(full-width digits, blanks and hidden characters never pass); bids are in the order of their
numbers, so their order in the input changes nothing; a draw gave one of what it could give.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from crypto.canonical import Json
from server.domain.evaluation.methods.computing import Indexes
from server.domain.evaluation.methods.fields import (
    FEN,
    ChoiceField,
    Draw,
    Field,
    FlagField,
    NumberField,
    ScoresField,
)
from server.domain.evaluation.methods.numbers import Vector, fixed, plain
from server.domain.evaluation.methods.reading import Node, listed, read_json, shown
from server.domain.evaluation.methods.schema import Method
from server.domain.evaluation.methods.steps.step import BIDS_MAX

BIDS_BYTES_MAX = 32 * 1024 * 1024
DRAWS_BYTES_MAX = 4 * 1024 * 1024
ID_MAX = 32
NAME_MAX = 100
DRAWS_MAX = 1_000  # labels looked at; a method has fewer draws
TEN_THOUSAND = 10_000  # 万: a price in 万元 is the usual slip
WORK_MAX = 10_000_000  # parts of expressions, times bids: minutes at the very worst


@dataclass(frozen=True, slots=True)
class Bids:
    """``ids`` in order; columns hold one value for each. ``document``: the same as JSON."""

    given: dict[str, Decimal]
    ids: tuple[str, ...]
    names: tuple[str, ...]
    numbers: dict[str, Vector]
    words: dict[str, list[str]]
    flags: dict[str, list[bool]]
    scores: dict[str, dict[str, list[tuple[Decimal, ...]]]]
    document: Json


@dataclass(frozen=True, slots=True)
class Draws:
    """By name in the steps. ``orders``: the position of each bid. ``document``: label -> result."""

    numbers: dict[str, Decimal]
    orders: dict[str, Indexes]
    document: Json = field(default_factory=dict[str, Json])


def parse_bids(method: Method, raw: bytes) -> Bids:
    """{"given": {...}, "bids": [{"id", "name", fields ...}]}. Raises Misplaced ``bids.*``."""
    return read_bids(method, read_json(raw, "bids", BIDS_BYTES_MAX))


def bids_of(method: Method, value: object) -> Bids:
    """The same from values (of a table, say); places are those of the JSON document."""
    return read_bids(method, Node(value, "", "bids"))


def id_order(bid_id: str) -> tuple[int, int, str]:
    """Numbers by value, before all others."""
    if bid_id.isascii() and bid_id.isdigit():
        return (0, int(bid_id), bid_id)
    return (1, 0, bid_id)


def read_bids(method: Method, node: Node) -> Bids:
    members = node.members(("bids",), ("given",))
    given = _read_given(method, members.get("given"), node)
    rows: dict[str, tuple[str, dict[str, Node]]] = {}
    for item in members["bids"].items(0, BIDS_MAX):
        parts = item.members(("id", *method.fields), ("name",))
        bid_id = parts["id"].text(1, ID_MAX)
        if bid_id in rows:
            raise parts["id"].refuse("twice", f"the bidder {bid_id} stands twice")
        name = parts["name"].text(1, NAME_MAX) if "name" in parts else ""
        rows[bid_id] = (name, parts)
    if len(rows) * method.work > WORK_MAX:
        raise members["bids"].refuse("size", f"too many for a method of {method.work} parts")
    ids = tuple(sorted(rows, key=id_order))
    table = _Table(ids, [rows[bid_id][1] for bid_id in ids])
    for name, found in method.fields.items():
        table.read(name, found)
    names = tuple(rows[bid_id][0] for bid_id in ids)
    printed = [
        {"id": bid_id, **({"name": name} if name else {}), **row}
        for bid_id, name, row in zip(ids, names, table.printed, strict=True)
    ]
    document: Json = {
        "given": {name: fixed(given[name], f.digits) for name, f in method.given.items()},
        "bids": list[Json](printed),
    }
    return Bids(given, ids, names, table.numbers, table.words, table.flags, table.scores, document)


def _read_given(method: Method, node: Node | None, root: Node) -> dict[str, Decimal]:
    if node is None:
        if method.given:
            raise root.child("given", None).refuse("missing")
        return {}
    members = node.members(method.given)
    return {name: _number(members[name], found) for name, found in method.given.items()}


def _number(node: Node, found: NumberField, whose: str = "") -> Decimal:
    if found.money:
        value = Decimal(node.fen()) * FEN
    else:
        value = node.decimal()
        _, _, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        if -exponent > found.digits:
            raise node.refuse("number", f"{whose}more than {found.digits} decimals")
    if not found.low <= value <= found.high:
        span = f"{fixed(found.low, found.digits)} to {fixed(found.high, found.digits)}"
        why = f"{whose}{fixed(value, found.digits)}, allowed {span}"
        if found.money and found.low <= value * TEN_THOUSAND <= found.high:
            why += " (in yuan; is this 万元?)"
        raise node.refuse("range", why)
    return value


class _Table:
    """The fields of all bids, column by column."""

    def __init__(self, ids: tuple[str, ...], rows: list[dict[str, Node]]) -> None:
        self._ids = ids
        self._rows = rows
        self.printed: list[dict[str, Json]] = [{} for _ in ids]
        self.numbers: dict[str, Vector] = {}
        self.words: dict[str, list[str]] = {}
        self.flags: dict[str, list[bool]] = {}
        self.scores: dict[str, dict[str, list[tuple[Decimal, ...]]]] = {}

    def read(self, name: str, found: Field) -> None:
        nodes = [row[name] for row in self._rows]
        match found:
            case NumberField():
                values = [
                    _number(node, found, f"bid {bid_id}: ")
                    for bid_id, node in zip(self._ids, nodes, strict=True)
                ]
                self.numbers[name] = list(values)
                self._print(name, [fixed(value, found.digits) for value in values])
            case ChoiceField():
                self.words[name] = [node.one_of(found.words) for node in nodes]
                self._print(name, self.words[name])
            case FlagField():
                self.flags[name] = [node.flag() for node in nodes]
                self._print(name, self.flags[name])
            case ScoresField():
                self._read_scores(name, found, nodes)

    def _print(self, name: str, values: "list[str] | list[bool]") -> None:
        for row, value in zip(self.printed, values, strict=True):
            row[name] = value

    def _read_scores(self, name: str, found: ScoresField, nodes: list[Node]) -> None:
        columns: dict[str, list[tuple[Decimal, ...]]] = {c: [] for c in found.criteria}
        marks = {c: _Marks(full, found.digits) for c, (_, full) in found.criteria.items()}
        experts: int | None = None
        for node, row in zip(nodes, self.printed, strict=True):
            printed: dict[str, Json] = {}
            for criterion, part in node.members(found.criteria).items():
                values, texts = marks[criterion].read_all(part, found)
                if experts is None:
                    experts = len(values)
                if len(values) != experts:
                    raise part.refuse("size", f"{len(values)} marks, elsewhere {experts}")
                columns[criterion].append(values)
                printed[criterion] = texts
            row[name] = printed
        self.scores[name] = columns


class _Marks:
    """Marks of one criterion; the few different ones are read once."""

    def __init__(self, full: Decimal, digits: int) -> None:
        self._full, self._digits = full, digits
        self._known: dict[object, Decimal] = {}
        self._texts: dict[object, Json] = {}

    def read_all(self, node: Node, found: ScoresField) -> tuple[tuple[Decimal, ...], list[Json]]:
        values = node.values(found.experts_min, found.experts_max)
        for i, value in enumerate(values):
            if not isinstance(value, str) or value not in self._known:
                self._read(Node(value, f"{node.place}[{i}]", node.noun))
        return tuple(self._known[v] for v in values), [self._texts[v] for v in values]

    def _read(self, node: Node) -> None:
        value = node.decimal()
        _, _, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        if -exponent > self._digits:
            raise node.refuse("number", f"more than {self._digits} decimals")
        if not 0 <= value <= self._full:
            raise node.refuse("range", f"{plain(value)}, allowed 0 to {plain(self._full)}")
        self._known[node.value] = value
        self._texts[node.value] = fixed(value, self._digits)


# ---- draws


def needed_draws(method: Method) -> tuple[Draw, ...]:
    """What has to be drawn, in the order of the method; to be committed to beforehand."""
    return tuple(method.draws.values())


def parse_draws(method: Method, bids: Bids, raw: bytes) -> Draws:
    """{label: "0.95"} or {label: ["3", "1", "2"]}. Raises Misplaced ``draws.*``."""
    return read_draws(method, bids, read_json(raw, "draws", DRAWS_BYTES_MAX))


def draws_of(method: Method, bids: Bids, value: object) -> Draws:
    """The same from values."""
    return read_draws(method, bids, Node(value, "", "draws"))


def read_draws(method: Method, bids: Bids, node: Node) -> Draws:
    labels = [draw.label for draw in method.draws.values()]
    for label, part in node.entries(DRAWS_MAX).items():
        if label not in labels:
            expected = f"expected: {listed(labels)}" if labels else "this method draws nothing"
            why = f"no draw has the label {shown(label)}; {expected}"
            raise part.refuse("unknown_member", why)
    members = node.members(labels)
    numbers: dict[str, Decimal] = {}
    orders: dict[str, Indexes] = {}
    document: dict[str, Json] = {}
    for name, draw in method.draws.items():
        part = members[draw.label]
        if draw.is_order:
            line = _read_order(part, bids)
            position = {bid_id: i for i, bid_id in enumerate(line)}
            orders[name] = tuple(position[bid_id] for bid_id in bids.ids)
            document[draw.label] = list[Json](line)
        else:
            numbers[name] = part.decimal()
            text = plain(numbers[name])
            if text not in draw.values:
                raise part.refuse(
                    "choice", f"{text} could not be drawn; possible: {listed(draw.values)}"
                )
            document[draw.label] = text
    return Draws(numbers, orders, document)


def _read_order(node: Node, bids: Bids) -> list[str]:
    line = [item.text(1, ID_MAX) for item in node.items(len(bids.ids), len(bids.ids))]
    if sorted(line, key=id_order) != list(bids.ids):
        raise node.refuse("choice", "an order holds every bid once")
    return line
