"""What a manifest must obey beyond its shape (清单的规则), formats §2, sealing C6, C16, C17.

Invariant: each rule is one check of its own, so a broken manifest is told by the rule it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from .manifest import FORM_LENGTH_MAX, Manifest
from .primitives import ed25519, x25519
from .report import Report

MEMBER = "manifest.json"
ORIGIN_END = "/kaibiao/log"


def _ascending(numbers: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


def _distinct(values: Sequence[object]) -> bool:
    return len(set(values)) == len(values)


def _lots(manifest: Manifest) -> bool:
    numbers = [one["lot"] for one in manifest["lots"]]
    return numbers == [0] or (0 not in numbers and _ascending(numbers))


def _envelopes(manifest: Manifest) -> bool:
    """Ascending; number 1 is a form; a form is at most 65,536 bytes."""
    first = manifest["envelopes"][0]
    return (
        _ascending([one["envelope"] for one in manifest["envelopes"]])
        and (first["envelope"], first["kind"]) == (1, "form")
        and all(
            one["kind"] == "body" or one["pt_len_max"] == FORM_LENGTH_MAX
            for one in manifest["envelopes"]
        )
    )


def _fields(manifest: Manifest) -> bool:
    """Exactly one field of a form decides, and it cannot be left out."""
    forms = [one["fields"] for one in manifest["envelopes"] if one["kind"] == "form"]
    return all(
        [field["optional"] for field in fields if field["decides"]] == [False]
        and _distinct([field["name"] for field in fields])
        for fields in forms
    )


def _sessions(manifest: Manifest) -> bool:
    """Every envelope is opened by exactly one session, envelope 1 by session 1."""
    sessions = manifest["sessions"]
    opened = [number for one in sessions for number in one["envelopes"]]
    return (
        _ascending([one["session"] for one in sessions])
        and all(_ascending(one["envelopes"]) for one in sessions)
        and sorted(opened) == [one["envelope"] for one in manifest["envelopes"]]
        and any(one["session"] == 1 and 1 in one["envelopes"] for one in sessions)
    )


def _threshold(manifest: Manifest) -> bool:
    """1 <= t <= n, t = n only in a demo (C6): one lost key would lose everything."""
    return all(
        one["t"] < len(one["trustees"]) or (one["t"] == len(one["trustees"]) and manifest["demo"])
        for one in manifest["envelopes"]
    )


def _trustee_envelopes(manifest: Manifest) -> bool:
    """What a trustee signed to serve is exactly where the envelopes name it."""
    return all(_distinct(one["trustees"]) for one in manifest["envelopes"]) and all(
        trustee["envelopes"]
        == [one["envelope"] for one in manifest["envelopes"] if position in one["trustees"]]
        for position, trustee in enumerate(manifest["trustees"], 1)
    )


def _trustee_expiry(manifest: Manifest) -> bool:
    return all(one["expiry_ms"] > manifest["deadline_ms"] for one in manifest["trustees"])


def _uncertified(manifest: Manifest) -> bool:
    return manifest["uncertified_allowed"] or all(one["ca"] for one in manifest["trustees"])


def _officers(manifest: Manifest) -> bool:
    roles = {one["role"] for one in manifest["officers"]}
    return {"supervisor", "host"} <= roles and bool(roles & {"agency", "purchaser"})


def _log_names(manifest: Manifest) -> bool:
    """No log or witness may be called like the labels of signed messages (C17)."""
    origin: str = manifest["log"]["origin"]
    names = [origin, *(one["name"] for one in manifest["witnesses"])]
    lawful = _distinct(names) and not any(name.startswith("KBID1") for name in names)
    return lawful and origin.endswith(ORIGIN_END) and len(origin) > len(ORIGIN_END)


def _programs(manifest: Manifest) -> bool:
    return _distinct([one["name"] for one in manifest["programs"]])


def _quorum(manifest: Manifest) -> bool:
    quorum = manifest["quorum"]
    return quorum <= len(manifest["witnesses"]) and (quorum > 0 or manifest["demo"])


def _keys(manifest: Manifest) -> bool:
    """C16 and C17: keys are lawful, and a key has one use."""
    officers: list[str] = [one["pk"] for one in manifest["officers"]]
    single: list[str] = [manifest["host_receipt_pk"], manifest["log"]["pk"]]
    single += [one["pk"] for one in manifest["witnesses"]]
    spks: list[str] = [one["spk"] for one in manifest["trustees"]]
    boxes: list[str] = [one["xpk"] for one in manifest["trustees"]]
    signing = [*officers, *single, *spks]
    return (
        _distinct([*signing, *boxes])
        and all(ed25519.is_valid_public(bytes.fromhex(key)) for key in signing)
        and all(_is_box_key(bytes.fromhex(key)) for key in boxes)
    )


def _is_box_key(public: bytes) -> bool:
    return x25519.is_canonical(public) and not x25519.is_low_order(public)


RULES: dict[str, tuple[Callable[[Manifest], bool], str]] = {
    "manifest.lots": (_lots, "lot 0 alone, or lots from 1 ascending"),
    "manifest.envelopes": (_envelopes, "ascending, number 1 a form"),
    "manifest.fields": (_fields, "one deciding field in each form"),
    "manifest.sessions": (_sessions, "each envelope in one session"),
    "manifest.threshold": (_threshold, "t below n, or t = n in a demo"),
    "manifest.trustee_envelopes": (_trustee_envelopes, "the same lists on both sides"),
    "manifest.trustee_expiry": (_trustee_expiry, "trustees' keys outlive the deadline"),
    "manifest.uncertified": (_uncertified, "certificates, where the tender demands them"),
    "manifest.officers": (_officers, "a signer side, a supervisor and a host"),
    "manifest.log_names": (_log_names, "<host>/kaibiao/log, and distinct witnesses"),
    "manifest.quorum": (_quorum, "at most the witnesses, 0 only in a demo"),
    "manifest.programs": (_programs, "distinct names"),
    "manifest.keys": (_keys, "lawful keys, each with one use"),
}


def trustee_message(trustee: dict[str, Any]) -> bytes:
    """M of formats §2: what `proof` and a certificate sign."""
    envelopes: list[int] = trustee["envelopes"]
    return (
        b"KBID1 trustee\0"
        + trustee["expiry_ms"].to_bytes(8, "big")
        + bytes.fromhex(trustee["xpk"] + trustee["spk"])
        + bytes([len(envelopes)])
        + b"".join(number.to_bytes(4, "big") for number in envelopes)
    )


def check_rules(manifest: Manifest, report: Report) -> None:
    """Every rule of the manifest, and every trustee's proof of possession (持有证明)."""
    for code, (holds, expected) in RULES.items():
        report.check(code, holds(manifest), MEMBER, expected, "otherwise")
    for trustee in manifest["trustees"]:
        proof = bytes.fromhex(trustee["proof"])
        good = ed25519.verify(bytes.fromhex(trustee["spk"]), trustee_message(trustee), proof)
        report.check("trustee.proof", good, MEMBER, "signature by its own spk", trustee["name"])
        if trustee["ca"] is None:
            report.on_word_of("trustee.uncertified", name=trustee["name"])
        else:
            report.on_word_of("trustee.certificate", name=trustee["name"])
