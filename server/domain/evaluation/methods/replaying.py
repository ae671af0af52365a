"""Computing a printed derivation again (重演), and the worked example of a method (算例).

Invariant: what ``replay`` returns are the very bytes it was given; a derivation in which one
character was changed, whether in an input, a step or a result, is refused.
"""

import json

from server.domain.evaluation.methods.bids import Bids, Draws, read_bids, read_draws
from server.domain.evaluation.methods.evaluating import (
    DERIVATION_VERSION,
    Derivation,
    evaluate,
)
from server.domain.evaluation.methods.reading import Node, read_json
from server.domain.evaluation.methods.refusing import Misplaced
from server.domain.evaluation.methods.schema import (
    METHOD_BYTES_MAX,
    Method,
    read_method,
)

DERIVATION_BYTES_MAX = 64 * 1024 * 1024
FIGURES = ("published", "computed")
EXAMPLE_STEPS_MAX = 64
BRIEF_MAX = 120

_SPELLING = "(spelling)"  # in place of a place: no value differs
_MEMBERS = ("kaibiao_derivation", "method", "method_sha256", "bids", "draws", "steps", "results")


def parse_method(raw: bytes) -> Method:
    """The method of a document, its worked example computed. Raises Misplaced ``method.*``."""
    method = read_method(read_json(raw, "method", METHOD_BYTES_MAX))
    check_example(method)
    return method


def read_derivation(raw: bytes) -> Derivation:
    """A printed derivation, computed again. Raises Misplaced."""
    members = read_json(raw, "derivation", DERIVATION_BYTES_MAX).members(_MEMBERS)
    members["kaibiao_derivation"].integer(DERIVATION_VERSION, DERIVATION_VERSION)
    method = read_method(_document(members["method"], "method"))
    bids = read_bids(method, _document(members["bids"], "bids"))
    draws = read_draws(method, bids, _document(members["draws"], "draws"))
    derivation = evaluate(method, bids, draws)
    if derivation.to_json() != raw:
        place = _first_difference(members, derivation)
        why = "same values, but not the bytes that --json printed" if place == _SPELLING else ""
        raise Misplaced("derivation", "differs", place, why)
    return derivation


def replay(raw: bytes) -> bytes:
    """The bytes of ``raw``, computed from the method, bids and draws it carries."""
    return read_derivation(raw).to_json()


def _document(node: Node, noun: str) -> Node:
    return Node(node.value, "", noun)


def _first_difference(members: dict[str, Node], derivation: Derivation) -> str:
    """The member, or the step, that is not what follows."""
    computed = derivation.as_json()
    assert isinstance(computed, dict)
    for name in _MEMBERS:
        mine, node = computed[name], members[name]
        if name == "steps" and isinstance(mine, list):
            items = node.items(0, len(mine))
            for item, one in zip(items, mine, strict=False):
                item.check_plain()
                if item.value != one:
                    return item.place
            if len(items) < len(mine):
                return f"steps[{len(items)}]"
        elif node.value != mine:
            return name
    return _SPELLING


# ---- the worked example


def example_of(method: Method) -> tuple[Bids, Draws] | None:
    """The inputs of the method's own example."""
    if method.example is None:
        return None
    members = _example_members(method.example)
    inputs: dict[str, object] = {"bids": members["bids"].value}
    if "given" in members:
        inputs["given"] = members["given"].value
    bids = read_bids(method, Node(inputs, method.example.place, "method"))
    drawn = members["draws"] if "draws" in members else method.example.child("draws", {})
    return bids, read_draws(method, bids, drawn)


def _example_members(node: Node) -> dict[str, Node]:
    return node.members(("figures", "bids", "expect"), ("about", "given", "draws"))


def check_example(method: Method) -> None:
    """Code: method.example, where what is expected does not follow."""
    inputs = example_of(method)
    if inputs is None or method.example is None:
        return
    members = _example_members(method.example)
    members["figures"].one_of(FIGURES)
    if "about" in members:
        members["about"].members(("zh", "en"))
    expect = members["expect"].members(("ranking",), ("values",))
    derivation = evaluate(method, *inputs)
    _compare(expect["ranking"], [bid for _, bid in derivation.results.ranking])
    values = expect["values"].entries(EXAMPLE_STEPS_MAX) if "values" in expect else {}
    for name, node in values.items():
        _compare_step(node, name, derivation)


def _compare_step(node: Node, name: str, derivation: Derivation) -> None:
    try:
        if node.is_text():
            _compare(node, derivation.value(name))
        elif node.is_object():
            column = derivation.column(name)
            for bid_id, part in node.entries(len(column)).items():
                _compare(part, column.get(bid_id))
        else:
            _compare(node, list(derivation.members(name)))
    except KeyError as error:
        raise node.refuse("unknown_name", f"no step {name} gives such a value") from error


def _compare(node: Node, computed: object) -> None:
    if node.value != computed:
        says = f"the document says {_brief(node.value)}"
        raise node.refuse("example", f"from the steps follows {_brief(computed)}, {says}")


def _brief(value: object) -> str:
    """A value for a message."""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "nothing" if value is None else said[:BRIEF_MAX] + "…" * (len(said) > BRIEF_MAX)
