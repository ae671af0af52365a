"""A journal edited, cut, extended or chained again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import decode, encode
from crypto.rows import body_hash, row_hash
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import assert_named, codes, judged

Members = dict[str, bytes]


def lines_of(raw: bytes) -> list[Any]:
    return [decode(line, size_max=1 << 20, depth_max=8) for line in raw.splitlines()]


def as_lines(values: list[Any]) -> bytes:
    return b"".join(encode(value) + b"\n" for value in values)


def rechained(rows: list[Any], place: int, body: bytes) -> list[Any]:
    """The journal with one body exchanged and every hash after it made again."""
    previous = bytes.fromhex(rows[place]["prev_hash"])
    for k in range(place, len(rows)):
        row = rows[k]
        if k == place:
            digest = body_hash(bytes.fromhex(row["salt"]), body)
            row |= {"body": body.hex(), "body_hash": digest.hex()}
        stub = encode(row["stub"])
        found = row_hash(previous, bytes.fromhex(row["body_hash"]), stub)
        row |= {"prev_hash": previous.hex(), "hash": found.hex()}
        previous = found
    return rows


def test_a_journal_chained_again_is_not_what_the_log_tied_down(
    members: Members, tmp_path: Path
) -> None:
    rows = rechained(lines_of(members["journal.jsonl"]), 1, b"another body")
    report = judged(members | {"journal.jsonl": as_lines(rows)}, tmp_path)
    assert_named(report, "journal.head", "journal.jsonl")
    assert codes(report) == {"journal.head"}


def with_row(rows: list[Any], place: int, **changes: Any) -> list[Any]:
    return [row | changes if k == place else row for k, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: rows[:-1], "journal.head"),
        (lambda rows: [*rows, rows[-1]], "journal.tail"),
        (lambda rows: rows[1:], "journal.seq"),
        (lambda rows: [], "journal.empty"),
        (lambda rows: with_row(rows, 0, body="00"), "journal.body"),
        (lambda rows: with_row(rows, 0, salt=None), "journal.salt"),
        (lambda rows: with_row(rows, 1, prev_hash="00" * 32), "journal.prev"),
        (lambda rows: with_row(rows, 1, hash="00" * 32), "journal.hash"),
        (lambda rows: with_row(rows, 1, more=1), "journal.shape"),
        (
            lambda rows: with_row(rows, 1, stub=rows[1]["stub"] | {"stream": "opening:other"}),
            "journal.stream",
        ),
    ],
)
def test_an_edited_journal_is_named(
    change: Callable[[list[Any]], list[Any]], code: str, members: Members, tmp_path: Path
) -> None:
    changed = as_lines(change(lines_of(members["journal.jsonl"])))
    report = judged(members | {"journal.jsonl": changed}, tmp_path)
    assert_named(report, code, "journal.jsonl")


def test_a_row_later_than_its_head_is_named(tmp_path: Path) -> None:
    class Ahead(Opening):
        def row(self, event: str, audience: str = "hall", *, withheld: bool = False) -> None:
            self.now_ms += 5000
            super().row(event, audience, withheld=withheld)
            self.now_ms -= 5000

    assert_named(judged(Ahead().run().members(), tmp_path), "journal.time", "journal.jsonl")
