"""The files of one evaluation (评标输入): a method, bids and draws, read and checked.

Invariant: nothing of a file is used before all of it was read; a refusal names the place in the
document, or the cell in the table.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from crypto.errors import Rejected
from server.cli.files import read_within
from server.cli.scoring.tables import Cell, Table, read_table
from server.domain.evaluation.methods import (
    Bids,
    Draws,
    Method,
    Misplaced,
    bids_of,
    draws_of,
    needed_draws,
    parse_bids,
    parse_draws,
    parse_method,
)
from server.domain.evaluation.methods.bids import BIDS_BYTES_MAX, DRAWS_BYTES_MAX
from server.domain.evaluation.methods.reading import read_json
from server.domain.evaluation.methods.schema import METHOD_BYTES_MAX

DELIVERED = resources.files("server.domain.evaluation.methods") / "delivered"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of one evaluation, as they were named."""

    method: str
    bids: Path
    draws: Path | None
    given: list[str]

    def read(self) -> tuple[Method, Bids, Draws]:
        """Raises Rejected ``method.*``, ``bids.*``, ``draws.*``."""
        method = read_method(self.method)
        bids = self.read_bids(method)
        return method, bids, self.read_draws(method, bids)

    def read_bids(self, method: Method) -> Bids:
        if not self._is_table:
            self._refuse_given()
            return parse_bids(method, read_within(self.bids, BIDS_BYTES_MAX, "bids.size"))
        table = self.read_table([method])
        try:
            return bids_of(method, table.as_value())
        except Misplaced as error:
            raise table.in_cells(error) from error

    def read_draw_values(self) -> dict[str, Any]:
        """Draws for several methods, not yet judged by any of them."""
        if self.draws is None:
            return {}
        return _values(read_within(self.draws, DRAWS_BYTES_MAX, "draws.size"), "draws")

    def read_values(self, methods: list[Method]) -> dict[str, Any]:
        """Bids for several methods, not yet judged by any of them."""
        if self._is_table:
            return self.read_table(methods).as_value()
        self._refuse_given()
        return _values(read_within(self.bids, BIDS_BYTES_MAX, "bids.size"), "bids")

    def read_table(self, methods: list[Method]) -> Table:
        table = read_table(self.bids, methods)
        for each in self.given:
            name, sign, value = each.partition("=")
            if not sign:
                raise Rejected("bids.missing", f"--given {each}: NAME=VALUE")
            table.give(name, Cell(f"--given {name}", value), methods)
        return table

    def read_draws(self, method: Method, bids: Bids) -> Draws:
        if self.draws is None:
            _need_no_draws(method)
            return draws_of(method, bids, {})
        raw = read_within(self.draws, DRAWS_BYTES_MAX, "draws.size")
        return parse_draws(method, bids, raw)

    @property
    def _is_table(self) -> bool:
        return self.bids.suffix.lower() != ".json"

    def _refuse_given(self) -> None:
        if self.given:
            raise Rejected("bids.unknown_member", "--given is for tables; JSON has its own")


def read_method(name: str) -> Method:
    """A file, or a delivered method by its name."""
    path = Path(name)
    if not path.exists() and "/" not in name and (DELIVERED / f"{name}.json").is_file():
        return parse_method((DELIVERED / f"{name}.json").read_bytes())
    return parse_method(read_within(path, METHOD_BYTES_MAX, "method.size"))


def _need_no_draws(method: Method) -> None:
    labels = [draw.label for draw in needed_draws(method)]
    if labels:
        raise Rejected("draws.missing", "--draws FILE with " + ", ".join(labels))


def _values(raw: bytes, noun: str) -> dict[str, Any]:
    node = read_json(raw, noun, len(raw))
    node.check_plain()
    if not isinstance(node.value, dict):
        raise Misplaced(noun, "type", "", "expected an object")
    return node.value
