"""The checkpoints of a bundle (检查点): closing, ends of windows, final, and that they are one log.

Invariant: every checkpoint in the result is signed by the log key of the manifest, and every other
is proved to be a beginning of the final one: the log grew and was never rewritten between them.
"""

from __future__ import annotations

from typing import Any

from .bundle import Bundle
from .jcs import NotCanonical, read
from .manifest import Manifest
from .notes import Checkpoint, NotANote, fingerprint, read_checkpoint
from .primitives.merkle import is_consistent
from .report import Report
from .schema import WrongShape, array, hexadecimal, integer, record

CLOSING, FINAL = "log/closing.txt", "log/final.txt"
CONSISTENCY = "log/consistency.json"
SHAPE = array(
    record(**{"from": integer(1), "to": integer(1), "path": array(hexadecimal(32), 0, 64)}), 0, 4096
)


def read_checkpoints(bundle: Bundle, manifest: Manifest, report: Report) -> dict[str, Checkpoint]:
    """All checkpoints by member name, those that are signed as they must be."""
    found: dict[str, Checkpoint] = {}
    for name, raw in bundle.folder("log/").items():
        if not name.endswith(".txt"):
            continue
        try:
            checkpoint = read_checkpoint(raw, manifest["log"], manifest["witnesses"])
        except NotANote as error:
            report.differs("checkpoint.form", name, "a signed checkpoint of this log", error)
            continue
        signed = report.check(
            "checkpoint.signature",
            checkpoint.log_signed,
            name,
            "signature by the log key",
            "none that is good",
        )
        report.check(
            "checkpoint.lines", not checkpoint.stray_lines, name, 0, checkpoint.stray_lines
        )
        quorum, cosigned = manifest["quorum"], len(checkpoint.cosigned_s)
        enough = report.check("checkpoint.quorum", cosigned >= quorum, name, quorum, cosigned)
        if signed and enough:
            found[name] = checkpoint
    _check_one_log(bundle, found, report)
    if CLOSING in found:
        report.facts["closing_fingerprint"] = fingerprint(found[CLOSING].root)
    if FINAL in found:
        report.facts["final_fingerprint"] = fingerprint(found[FINAL].root)
    return found


def _read_proofs(bundle: Bundle, report: Report) -> list[dict[str, Any]]:
    raw = bundle.get(CONSISTENCY)
    if raw is None:
        return []
    try:
        value: Any = read(raw, size_max=len(raw))
        SHAPE(value, "")
    except NotCanonical as error:
        report.differs("consistency.canonical", CONSISTENCY, "canonical JSON", error)
        return []
    except WrongShape as error:
        report.differs("consistency.shape", CONSISTENCY, error.expected, error.found)
        return []
    proofs: list[dict[str, Any]] = value
    spans = [(proof["from"], proof["to"]) for proof in proofs]
    ordered = spans == sorted(set(spans))
    report.check("consistency.order", ordered, CONSISTENCY, "ascending, each once", spans)
    return proofs


def _check_one_log(bundle: Bundle, found: dict[str, Checkpoint], report: Report) -> None:
    """Same size means same root; every smaller size is linked to the final one by proofs."""
    final = found.get(FINAL)
    if final is None:
        return
    roots: dict[int, bytes] = {final.size: final.root}
    for name, checkpoint in sorted(found.items()):
        size, root = checkpoint.size, checkpoint.root
        report.check("checkpoint.size", size <= final.size, name, f"at most {final.size}", size)
        known = roots.setdefault(size, root)
        report.check("checkpoint.fork", known == root, name, known, root)
    linked = {final.size}
    for proof in sorted(_read_proofs(bundle, report), key=lambda one: -one["from"]):
        span = f"{proof['from']} to {proof['to']}"
        old, new = roots.get(proof["from"]), roots.get(proof["to"])
        if old is None or new is None:
            report.differs("consistency.unknown", CONSISTENCY, "sizes of checkpoints here", span)
            continue
        path = [bytes.fromhex(one) for one in proof["path"]]
        good = is_consistent(proof["from"], old, proof["to"], new, path)
        if report.check("consistency.proof", good, CONSISTENCY, "a proof that holds", span) and (
            proof["to"] in linked
        ):
            linked.add(proof["from"])
    for name, checkpoint in sorted(found.items()):
        joined = checkpoint.size in linked
        report.check(
            "consistency.missing", joined, name, f"proof from size {checkpoint.size}", "none"
        )
