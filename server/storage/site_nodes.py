"""Nodes of the site tree, kept thin (日志树节点): only every eighth level is stored.

Invariant: node (level, index) is a pure function of the leaves under it and those never change, so
whatever is computed or remembered here can be computed again. A level that is not stored is folded
from the stored one below it, at most 128 hashes; level 0 is the ``leaf`` table itself. A year of
31.5 million leaves thus has 124,000 stored nodes instead of as many as leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from crypto.merkle import leaf_hash, merkle_root
from crypto.site_tree import Node, site_leaf

STORED_EVERY: Final = 8
REMEMBERED_MAX: Final = 8192

Query = Callable[[str, Sequence[Any]], Iterable[tuple[Any, ...]]]


def is_stored(level: int) -> bool:
    return level > 0 and level % STORED_EVERY == 0


class SiteNodes:
    """``nodes(level, index)`` for ``crypto.site_tree``, over one way of asking the database.

    With ``remember`` the answers are kept; only for a connection that sees committed leaves alone.
    """

    def __init__(self, query: Query, *, remember: bool) -> None:
        self._query = query
        self._remember = remember
        self._known: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        known = self._known.get((level, index))
        if known is None:
            known = self._compute(level, index)
            self.learn([(level, index, known)])
        return known

    def learn(self, nodes: Iterable[Node]) -> None:
        """Nodes that are now committed, so that the next root need not read them."""
        if not self._remember:
            return
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known.update(((level, index), node) for level, index, node in nodes)

    def _compute(self, level: int, index: int) -> bytes:
        if is_stored(level):
            sql = "SELECT hash FROM node WHERE level = ? AND node_index = ?"
            ((node,),) = self._query(sql, (level, index))
            return node
        below = level - level % STORED_EVERY
        first, count = index << (level - below), 1 << (level - below)
        hashes = (
            leaf_hashes(self._query, first, count) if below == 0 else self._row(below, first, count)
        )
        assert len(hashes) == count, f"node {level}, {index} is not complete"
        return merkle_root(hashes)

    def _row(self, level: int, first: int, count: int) -> list[bytes]:
        sql = (
            "SELECT hash FROM node WHERE level = ? AND node_index >= ? AND node_index < ?"
            " ORDER BY node_index"
        )
        return [node for (node,) in self._query(sql, (level, first, first + count))]


def leaf_hashes(query: Query, first: int, count: int) -> list[bytes]:
    """Hashes of the stored leaves from ``first`` on."""
    sql = (
        "SELECT tick_ms, batch_root FROM leaf WHERE leaf_index >= ? AND leaf_index < ?"
        " ORDER BY leaf_index"
    )
    leaves = query(sql, (first, first + count))
    return [leaf_hash(site_leaf(tick_ms, batch_root)) for tick_ms, batch_root in leaves]
