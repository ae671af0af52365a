"""Log, checkpoints, journal, manifest and lists rewritten by those who hold their keys."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import decode, encode
from crypto.checkpoint import sign_checkpoint
from crypto.hashes import blake2b_512, sha256
from crypto.rows import body_hash, row_hash
from crypto.verifier import verify
from tests.verifier.bundle_file import signed, write
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.judging import assert_agrees, assert_named, codes, judged
from tests.verifier.log_maker import LogMaker
from tests.verifier.tender_maker import (
    AGENCY,
    DEADLINE_MS,
    HOST,
    LOG_KEY,
    ORIGIN,
    RECEIPT_KEY,
    START_MS,
    SUPERVISOR,
    manifest_value,
    signing,
)
from tests.verifier.test_honest_openings import Witnessed

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


# -- journal


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


# -- manifest, officers, trust


def test_a_manifest_the_supervisor_did_not_sign_is_not_in_force(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    message = b"KBID1 manifest\0" + honest.manifest.tender_id
    forged = [
        {"pk": key.public.hex(), "role": role, "sig": signer.sign(message).hex()}
        for role, key, signer in (
            ("agency", AGENCY, AGENCY),
            ("supervisor", SUPERVISOR, HOST),
        )
    ]
    value = {"signatures": forged, "tender_id": honest.manifest.tender_id.hex()}
    report = judged(members | {"manifest.sig.json": encode(value)}, tmp_path)
    assert_named(report, "authority.signature", "manifest.sig.json")
    assert_named(report, "authority.roles", "manifest.sig.json")
    assert_named(report, "tender.signatures", "manifest.sig.json")


def test_a_manifest_signed_by_strangers_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    message, stranger = b"KBID1 manifest\0" + honest.manifest.tender_id, signing("stranger")
    signatures = [
        {"pk": stranger.public.hex(), "role": role, "sig": stranger.sign(message).hex()}
        for role in ("agency", "supervisor")
    ]
    value = {"signatures": signatures, "tender_id": honest.manifest.tender_id.hex()}
    report = judged(members | {"manifest.sig.json": encode(value)}, tmp_path)
    assert_named(report, "authority.officer", "manifest.sig.json")


def test_another_manifest_is_not_the_one_that_was_logged(members: Members, tmp_path: Path) -> None:
    other = encode(manifest_value(title="另一个项目"))
    report = judged(members | {"manifest.json": other}, tmp_path)
    assert_named(report, "tender.manifest", "manifest.json")
    assert_named(report, "authority.signature", "manifest.sig.json")
    assert_named(report, "submit.tender")


def test_a_trustee_without_the_key_proves_nothing(tmp_path: Path) -> None:
    value = manifest_value()
    value["trustees"][0]["proof"] = "00" * 64
    report = judged(Opening().run().members() | {"manifest.json": encode(value)}, tmp_path)
    assert_named(report, "trustee.proof", "manifest.json")


def test_another_tender_than_the_reader_asked_for_is_named(
    members: Members, tmp_path: Path
) -> None:
    report = judged(members, tmp_path, tender_id=bytes(32))
    assert_named(report, "trust.tender_id", "manifest.json")


def test_the_readers_own_keys_decide(members: Members, tmp_path: Path) -> None:
    known = {"经办agency": AGENCY.public, "经办supervisor": SUPERVISOR.public}
    assert_agrees(judged(members, tmp_path, trust=known))
    report = judged(members, tmp_path, trust=known | {"经办supervisor": signing("x").public})
    assert_named(report, "trust.other_key", "manifest.json")
    assert_named(report, "trust.unknown_signer", "manifest.sig.json")
    report = judged(members, tmp_path, trust=known | {ORIGIN: signing("x").public})
    assert_named(report, "trust.other_key", "manifest.json")


@pytest.mark.parametrize(
    ("facts", "seconds", "code"),
    [
        ({"old_ms": DEADLINE_MS, "deadline_ms": DEADLINE_MS - 1}, 0.8, "deadline.later"),
        ({"old_ms": DEADLINE_MS - 1, "deadline_ms": DEADLINE_MS + 1}, 0.8, "deadline.old"),
        ({"old_ms": DEADLINE_MS, "deadline_ms": DEADLINE_MS + 100}, 20.2, "deadline.logged"),
    ],
)
def test_the_deadline_moves_only_later_and_in_time(
    facts: dict[str, int], seconds: float, code: str, tmp_path: Path
) -> None:
    class Moved(Opening):
        def close(self) -> None:
            self.log.tick_until(0)
            super().close()

        def submit(self, bidder: Bidder) -> None:
            super().submit(bidder)
            if bidder.number == 3 and seconds > 20:
                self.move()

        def publish(self) -> None:
            super().publish()
            if seconds < 20:
                self.move()

        def move(self) -> None:
            self.at(seconds)
            self.act(4, **facts, reason="改期")

    assert_named(judged(Moved().run().members(), tmp_path), code)


def test_a_deadline_change_needs_the_supervisor(tmp_path: Path) -> None:
    class Alone(Opening):
        signers = (HOST,)

        def publish(self) -> None:
            super().publish()
            self.at(0.8)
            self.act(4, old_ms=DEADLINE_MS, deadline_ms=DEADLINE_MS + 100, reason="改期")

    assert_named(judged(Alone().run().members(), tmp_path), "act.roles")


def test_two_tenders_in_one_log_are_one_too_many(tmp_path: Path) -> None:
    class Again(Opening):
        def publish(self) -> None:
            super().publish()
            super().publish()

    assert_named(judged(Again().run().members(), tmp_path), "tender.once")


# -- witnesses


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


# -- lists and strays


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (f"unlock/{'ab' * 32}.bin", "unlock.extra"),
        (f"card/{'ab' * 32}.bin", "unlock.extra"),
        (f"release/{'ab' * 32}.bin", "release.extra"),
        (f"self/{'ab' * 32}.bin", "release.extra"),
        (f"forms/{'ab' * 32}.kbc", "form.extra"),
        ("frozen-1-2.json", "frozen.extra"),
        ("readout-1-2.json", "frozen.extra"),
        ("log/window-end-1-2.txt", "checkpoint.form"),
    ],
)
def test_a_member_without_ground_is_named(
    name: str, code: str, members: Members, tmp_path: Path
) -> None:
    assert_named(judged(members | {name: b"x"}, tmp_path), code, name)


def test_a_checkpoint_of_a_window_that_never_was_is_named(members: Members, tmp_path: Path) -> None:
    name = "log/window-end-1-2.txt"
    report = judged(members | {name: members["log/window-end-1-1.txt"]}, tmp_path)
    assert_named(report, "window.no_such", name)


@pytest.mark.parametrize("name", ["closed.json", "frozen.json", "readout.json"])
def test_lists_in_another_spelling_are_not_canonical(
    name: str, members: Members, tmp_path: Path
) -> None:
    changed = members[name].replace(b'":', b'": ', 1)
    group = name.split(".")[0]
    assert_named(judged(members | {name: changed}, tmp_path), f"{group}.canonical", name)


def relogged(opening: Opening, name: str, entry_type: int, raw: bytes) -> Members:
    """The bundle with another list that the log names as well."""

    class Relogged(type(opening)):  # type: ignore[misc]
        def entry(self, entry_type_: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type_ == entry_type:
                members |= {"sha256": sha256(raw).hex(), "size": len(raw)}
            return super().entry(entry_type_, public=public, **members)

    return Relogged().run().members() | {name: raw}


@pytest.mark.parametrize(("name", "entry_type"), [("frozen.json", 19), ("readout.json", 20)])
def test_a_list_of_another_window_is_named(
    name: str, entry_type: int, honest: Opening, members: Members, tmp_path: Path
) -> None:
    value = decode(members[name], size_max=1 << 20, depth_max=8)
    raw = encode(value | {"nonce": "ab" * 32})
    report = judged(relogged(honest, name, entry_type, raw), tmp_path)
    assert_named(report, f"{name.split('.')[0]}.nonce", name)


def test_lists_out_of_order_are_named(honest: Opening, members: Members, tmp_path: Path) -> None:
    closed = decode(members["closed.json"], size_max=1 << 20, depth_max=8)
    raw = encode({"submits": closed["submits"][::-1]})
    assert_named(judged(members | {"closed.json": raw}, tmp_path), "closed.order", "closed.json")
    frozen = decode(members["frozen.json"], size_max=1 << 20, depth_max=8)
    raw = encode(frozen | {"bids": frozen["bids"][::-1]})
    report = judged(relogged(honest, "frozen.json", 19, raw), tmp_path)
    assert codes(report) == {"frozen.order"}


def reindexed(members: Members, change: Callable[[Any], Any]) -> Members:
    """An index that says something else, signed by the host's receipt key."""
    index = change(decode(signed(members)["index.json"], size_max=1 << 20, depth_max=8))
    raw = encode(index)
    signature = RECEIPT_KEY.sign(b"KBID1 index\0" + blake2b_512(raw))
    return members | {"index.json": raw, "index.sig": signature}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda index: index | {"members": index["members"][::-1]}, "index.order"),
        (lambda index: index | {"members": index["members"][1:]}, "index.unlisted"),
        (lambda index: index | {"tender_id": "ab" * 32}, "index.tender"),
        (
            lambda index: (
                index | {"members": [index["members"][0] | {"size": 7}, *index["members"][1:]]}
            ),
            "index.size",
        ),
        (
            lambda index: (
                index | {"members": [*index["members"], index["members"][-1] | {"name": "z"}]}
            ),
            "index.absent",
        ),
    ],
)
def test_an_index_that_does_not_fit_is_named(
    change: Callable[[Any], Any], code: str, members: Members, tmp_path: Path
) -> None:
    file = write(reindexed(members, change), tmp_path / "opening.zip")
    assert_named(verify(file), code)


def test_a_row_later_than_its_head_is_named(tmp_path: Path) -> None:
    class Ahead(Opening):
        def row(self, event: str, audience: str = "hall", *, withheld: bool = False) -> None:
            self.now_ms += 5000
            super().row(event, audience, withheld=withheld)
            self.now_ms -= 5000

    assert_named(judged(Ahead().run().members(), tmp_path), "journal.time", "journal.jsonl")


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
