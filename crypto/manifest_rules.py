"""What a manifest must obey beyond its schema (清单的规则).

Invariant: the rules are tried in the order of ``_RULES`` and the first that fails names the code,
so every implementation refuses a manifest with the same code. Norm: formats.md §2; sealing.md C6,
C17.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from crypto.errors import Rejected
from crypto.keys import is_valid_public

if TYPE_CHECKING:
    from crypto.manifest import Manifest
    from crypto.manifest_parts import Envelope

FORM_OF_SESSION = 1  # envelope 1 is a form, and of session 1
_OUR_LABELS = "KBID1"  # no key of a log or witness may ever sign under a name like our labels
_ORIGIN_END = "/kaibiao/log"


def check_rules(manifest: Manifest) -> None:
    """Raise Rejected("manifest.…") unless every rule holds. Proofs of possession come after."""
    for code, holds in _RULES.items():
        if not holds(manifest):
            raise Rejected(f"manifest.{code}")


def _lots(manifest: Manifest) -> bool:
    numbers = [lot.lot for lot in manifest.lots]
    return numbers == [0] or (0 not in numbers and _ascending(numbers))


def _envelopes(manifest: Manifest) -> bool:
    first = manifest.envelopes[0]
    return (
        _ascending([envelope.envelope for envelope in manifest.envelopes])
        and first.envelope == FORM_OF_SESSION
        and first.kind == "form"
    )


def _fields(manifest: Manifest) -> bool:
    """Exactly one field of each form decides, and that one cannot be left out."""
    return all(
        [field.optional for field in envelope.fields if field.decides] == [False]
        and _distinct([field.name for field in envelope.fields])
        for envelope in manifest.envelopes
        if envelope.kind == "form"
    )


def _sessions(manifest: Manifest) -> bool:
    """Each envelope is opened by exactly one session; envelope 1 by session 1."""
    opened = [number for session in manifest.sessions for number in session.envelopes]
    return (
        _ascending([session.session for session in manifest.sessions])
        and all(_ascending(session.envelopes) for session in manifest.sessions)
        and sorted(opened) == [envelope.envelope for envelope in manifest.envelopes]
        and any(
            session.session == 1 and FORM_OF_SESSION in session.envelopes
            for session in manifest.sessions
        )
    )


def _threshold(manifest: Manifest) -> bool:
    """t of n; t = n loses everything with one key, so only a demo may have it (C6)."""

    def lawful(envelope: Envelope) -> bool:
        n = len(envelope.trustees)
        return envelope.t < n or (envelope.t == n and manifest.demo)

    return all(map(lawful, manifest.envelopes))


def _trustee_envelopes(manifest: Manifest) -> bool:
    """What each trustee signed to serve is exactly where the envelopes name it."""
    named = {position: list[int]() for position in range(1, len(manifest.trustees) + 1)}
    for envelope in manifest.envelopes:
        if not _distinct(envelope.trustees) or max(envelope.trustees) > len(named):
            return False
        for position in envelope.trustees:
            named[position].append(envelope.envelope)
    return all(
        list(trustee.envelopes) == named[position]
        for position, trustee in enumerate(manifest.trustees, start=1)
    )


def _trustee_expiry(manifest: Manifest) -> bool:
    return all(trustee.expiry_ms > manifest.deadline_ms for trustee in manifest.trustees)


def _uncertified(manifest: Manifest) -> bool:
    return manifest.uncertified_allowed or all(trustee.ca for trustee in manifest.trustees)


def _officers(manifest: Manifest) -> bool:
    roles = {officer.role for officer in manifest.officers}
    return {"supervisor", "host"} <= roles and bool(roles & {"agency", "purchaser"})


def _log_names(manifest: Manifest) -> bool:
    names = [manifest.log.origin, *(witness.name for witness in manifest.witnesses)]
    return (
        _distinct(names)
        and not any(name.startswith(_OUR_LABELS) for name in names)
        and len(manifest.log.origin) > len(_ORIGIN_END)
        and manifest.log.origin.endswith(_ORIGIN_END)
    )


def _quorum(manifest: Manifest) -> bool:
    if manifest.quorum == 0:
        return manifest.demo
    return manifest.quorum <= len(manifest.witnesses)


def _programs(manifest: Manifest) -> bool:
    return _distinct([program.name for program in manifest.programs])


def _keys(manifest: Manifest) -> bool:
    """Every key is of the right kind and stands in one place: a log, witness or receipt key signs
    nothing else, and no trustee counts twice (C17).
    """
    signing = [
        *(officer.pk for officer in manifest.officers),
        *(witness.pk for witness in manifest.witnesses),
        manifest.host_receipt_pk,
        manifest.log.pk,
    ]
    boxes = [trustee.xpk for trustee in manifest.trustees]
    releasing = [trustee.spk for trustee in manifest.trustees]  # valid if their proofs verify
    return (
        _distinct([*signing, *boxes, *releasing])
        and all(map(is_valid_public, signing))
        and all(map(manifest.suite_impl.is_box_public, boxes))
    )


def _distinct(values: Sequence[object]) -> bool:
    return len(set(values)) == len(values)


def _ascending(numbers: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


_RULES: dict[str, Callable[[Manifest], bool]] = {
    "lots": _lots,
    "envelopes": _envelopes,
    "fields": _fields,
    "sessions": _sessions,
    "threshold": _threshold,
    "trustee_envelopes": _trustee_envelopes,
    "trustee_expiry": _trustee_expiry,
    "uncertified": _uncertified,
    "officers": _officers,
    "log_names": _log_names,
    "quorum": _quorum,
    "programs": _programs,
    "keys": _keys,
}
