"""A log forked, rewritten or unproved, by whoever holds its key."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import decode, encode
from crypto.checkpoint import sign_checkpoint
from crypto.hashes import sha256
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import assert_agrees, assert_named, judged
from tests.verifier.log_maker import LogMaker
from tests.verifier.opening_variants import Witnessed
from tests.verifier.tender_maker import (
    LOG_KEY,
    ORIGIN,
    START_MS,
    signing,
)

Members = dict[str, bytes]


def lines_of(raw: bytes) -> list[Any]:
    return [decode(line, size_max=1 << 20, depth_max=8) for line in raw.splitlines()]


def as_lines(values: list[Any]) -> bytes:
    return b"".join(encode(value) + b"\n" for value in values)


def test_a_forked_closing_checkpoint_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    size = honest.checkpoint_sizes[0]
    fork = sign_checkpoint(ORIGIN, size, sha256(b"another tree"), LOG_KEY).encode()
    report = judged(members | {"log/closing.txt": fork}, tmp_path)
    assert_named(report, "consistency.proof", "log/consistency.json")
    assert_named(report, "consistency.missing", "log/closing.txt")


def test_two_roots_of_one_size_are_a_fork(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    size = honest.checkpoint_sizes[1]
    fork = sign_checkpoint(ORIGIN, size, sha256(b"another tree"), LOG_KEY).encode()
    report = judged(members | {"log/window-end-2-1.txt": fork}, tmp_path)
    assert_named(report, "checkpoint.fork", "log/window-end-2-1.txt")


def test_a_checkpoint_by_another_key_is_not_the_logs(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    size = honest.checkpoint_sizes[0]
    other = sign_checkpoint(ORIGIN, size, honest.log.root(size), signing("other")).encode()
    report = judged(members | {"log/closing.txt": other}, tmp_path)
    assert_named(report, "checkpoint.signature", "log/closing.txt")


def test_a_log_rewritten_after_the_closing_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    """Everything after the start is made again over a tree whose first second was changed."""

    class Rewritten(Opening):
        def publish(self) -> None:
            self.at(0.1)
            self.entry(1, epoch=1, log_origin=ORIGIN, software="another first second")
            super().publish()

    found = Rewritten().run().members() | {"log/closing.txt": members["log/closing.txt"]}
    assert_named(judged(found, tmp_path), "consistency.proof", "log/consistency.json")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda proofs: [], "consistency.missing"),
        (lambda proofs: proofs[::-1], "consistency.order"),
        (lambda proofs: [proofs[0] | {"to": 7}, *proofs[1:]], "consistency.unknown"),
        (lambda proofs: [proofs[0] | {"more": 1}, *proofs[1:]], "consistency.shape"),
    ],
)
def test_consistency_must_be_proved(
    change: Callable[[list[Any]], list[Any]], code: str, members: Members, tmp_path: Path
) -> None:
    proofs = decode(members["log/consistency.json"], size_max=1 << 20, depth_max=4)
    changed = encode(change(proofs))
    assert_named(judged(members | {"log/consistency.json": changed}, tmp_path), code)


def salted(line: Any) -> Any:
    return line | {"entry": "ff" * 16 + line["entry"][32:]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: [salted(lines[0]), *lines[1:]], "entries.proof"),
        (lambda lines: [lines[0] | {"slot": 7}, *lines[1:]], "entries.proof"),
        (lambda lines: [lines[0] | {"size": lines[0]["size"] - 1}, *lines[1:]], "entries.size"),
        (lambda lines: lines[::-1], "entries.order"),
        (lambda lines: [lines[0], *lines], "entries.order"),
        (lambda lines: [lines[0] | {"more": 1}, *lines[1:]], "entries.shape"),
        (lambda lines: [lines[0] | {"entry": "00" * 20}, *lines[1:]], "entries.canonical"),
    ],
)
def test_entries_that_the_log_does_not_hold_are_named(
    change: Callable[[list[Any]], list[Any]], code: str, members: Members, tmp_path: Path
) -> None:
    changed = as_lines(change(lines_of(members["log/entries.jsonl"])))
    report = judged(members | {"log/entries.jsonl": changed}, tmp_path)
    assert_named(report, code, "log/entries.jsonl")


def test_an_entry_of_another_tender_does_not_belong_here(tmp_path: Path) -> None:
    class Mixed(Opening):
        def close(self) -> None:
            self.at(15)
            self.log.add(
                7,
                {"checked": 1, "damaged": [], "tender_id": "ab" * 32, "server_ms": self.now_ms},
            )
            super().close()

    assert_named(judged(Mixed().run().members(), tmp_path), "entries.tender")


def test_a_clock_set_back_is_named(tmp_path: Path) -> None:
    class SetBack(Opening):
        def close(self) -> None:
            self.log.tick_until(self.at(19))
            self.log.tick_ms -= 10_000
            self.at(9.5)
            self.entry(7, checked=0, damaged=[])
            super().close()

    assert_named(judged(SetBack().run().members(), tmp_path), "entries.tick")


def test_an_outage_without_leaves_is_told(tmp_path: Path) -> None:
    class Outage(Opening):
        def close(self) -> None:
            self.log.tick_until(self.at(15))
            self.log.tick_ms += 3000
            super().close()

    report = judged(Outage().run().members(), tmp_path)
    assert_agrees(report)
    assert "log.seconds" in {one.code for one in report.word_of}


def test_too_few_witnesses_are_named(tmp_path: Path) -> None:
    found = Witnessed().run().members()
    lines = found["log/closing.txt"].split(b"\n")
    fewer = b"\n".join([*lines[:6], b""])
    report = judged(found | {"log/closing.txt": fewer}, tmp_path)
    assert_named(report, "checkpoint.quorum", "log/closing.txt")


def test_a_closing_that_witnesses_saw_too_late_is_named(tmp_path: Path) -> None:
    class SeenLate(Witnessed):
        cosigned_after_ms = 61_000

    report = judged(SeenLate().run().members(), tmp_path)
    assert_named(report, "closed.bound", "log/closing.txt")


def test_one_witness_twice_is_no_quorum(tmp_path: Path) -> None:
    found = Witnessed().run().members()
    lines = found["log/closing.txt"].split(b"\n")
    twice = b"\n".join([*lines[:6], lines[5], b""])
    report = judged(found | {"log/closing.txt": twice}, tmp_path)
    assert_named(report, "checkpoint.quorum", "log/closing.txt")
    assert_named(report, "checkpoint.lines", "log/closing.txt")


def test_a_signature_line_of_a_stranger_is_named(members: Members, tmp_path: Path) -> None:
    line = f"— stranger {base64.b64encode(bytes(68)).decode()}\n".encode()
    changed = members["log/closing.txt"] + line
    report = judged(members | {"log/closing.txt": changed}, tmp_path)
    assert_named(report, "checkpoint.lines", "log/closing.txt")


def test_a_checkpoint_of_a_window_that_never_was_is_named(members: Members, tmp_path: Path) -> None:
    name = "log/window-end-1-2.txt"
    report = judged(members | {name: members["log/window-end-1-1.txt"]}, tmp_path)
    assert_named(report, "window.no_such", name)


def test_no_checkpoint_is_newer_than_the_final_one(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    older = honest.log.checkpoint(honest.checkpoint_sizes[0] + 1).encode()
    report = judged(members | {"log/final.txt": older}, tmp_path)
    assert_named(report, "checkpoint.size", "log/window-end-1-1.txt")


def test_a_log_of_another_origin_is_not_this_log(members: Members, tmp_path: Path) -> None:
    other = LogMaker("other.example/kaibiao/log", LOG_KEY, START_MS)
    other.tick()
    report = judged(members | {"log/final.txt": other.checkpoint().encode()}, tmp_path)
    assert_named(report, "checkpoint.form", "log/final.txt")
