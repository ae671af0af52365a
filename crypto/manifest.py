"""The tender manifest (招标项目清单): what is opened, by whose keys, when, under which rules.

Invariant: a ``Manifest`` exists only if its bytes are their own canonical form, have exactly the
members of the schema, obey every rule of ``manifest_rules``, and every trustee proved to hold the
key that signs its releases. ``tender_id`` is the hash of these bytes, so nothing in them can change
later. What is *not* checked here: certificates (``Trustee.ca``), because trust in a CA is the
reader's own. Norm: formats.md §2; sealing.md C6, C17.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from crypto.canonical import Json
from crypto.errors import Rejected
from crypto.formats import decode_document, encode_document
from crypto.hashes import blake2b_256, label_bytes
from crypto.header import EnvelopeTerms
from crypto.keys import SigningKey, verify
from crypto.manifest_parts import (
    Envelope,
    Log,
    Lot,
    Officer,
    Party,
    Program,
    Session,
    Trustee,
    Witness,
    build,
)
from crypto.manifest_rules import check_rules
from crypto.objects.tender import MANIFEST
from crypto.suites import Suite, get_suite

_MANIFEST = label_bytes("KBID1 manifest")
_TRUSTEE = label_bytes("KBID1 trustee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A checked manifest; attributes have the members' names, hex became bytes."""

    raw: bytes = field(repr=False)
    tender_id: bytes
    suite_impl: Suite = field(repr=False)
    """the suite that ``suite`` names"""
    format: int
    suite: int
    demo: bool
    parent: bytes | None
    number: str
    title: str
    purchaser: Party
    agency: Party
    deadline_ms: int
    template: str
    min_bidders: int
    submissions_max: int
    uncertified_allowed: bool
    names_masked: bool
    traces: bool
    lots: tuple[Lot, ...]
    envelopes: tuple[Envelope, ...]
    sessions: tuple[Session, ...]
    trustees: tuple[Trustee, ...]
    officers: tuple[Officer, ...]
    host_receipt_pk: bytes
    log: Log
    witnesses: tuple[Witness, ...]
    quorum: int
    closing_bound_ms: int
    programs: tuple[Program, ...]
    draws: tuple[object, ...]

    def envelope(self, number: int) -> Envelope:
        """Code: ``manifest.no_envelope``."""
        for envelope in self.envelopes:
            if envelope.envelope == number:
                return envelope
        raise Rejected("manifest.no_envelope", str(number))

    def session(self, number: int) -> Session:
        """Code: ``manifest.no_session``."""
        for session in self.sessions:
            if session.session == number:
                return session
        raise Rejected("manifest.no_session", str(number))

    def session_of(self, envelope: int) -> Session:
        """The session that opens this envelope. Code: ``manifest.no_envelope``."""
        for session in self.sessions:
            if envelope in session.envelopes:
                return session
        raise Rejected("manifest.no_envelope", str(envelope))

    def trustees_of(self, envelope: int) -> tuple[Trustee, ...]:
        """The trustees of one envelope in header order: number i is at position i - 1."""
        return tuple(self.trustees[position - 1] for position in self.envelope(envelope).trustees)

    def officer_roles(self) -> dict[bytes, str]:
        """Officers' public keys and their roles."""
        return {officer.pk: officer.role for officer in self.officers}

    def terms(self, envelope: int, bidder_pk: bytes, bidder_xpk: bytes) -> EnvelopeTerms:
        """What a header of this bidder for this envelope must agree with (C6)."""
        of = self.envelope(envelope)
        return EnvelopeTerms(
            suite=self.suite_impl,
            tender_id=self.tender_id,
            lots=frozenset(lot.lot for lot in self.lots),
            envelope=of.envelope,
            kind=of.kind,
            log2_chunk=of.log2_chunk,
            pt_len_max=of.pt_len_max,
            t=of.t,
            trustee_xpks=tuple(trustee.xpk for trustee in self.trustees_of(envelope)),
            demo=self.demo,
            bidder_pk=bidder_pk,
            bidder_xpk=bidder_xpk,
        )


@dataclass(frozen=True, slots=True)
class RoleSignature:
    """An officer's signature over the tender_id."""

    pk: bytes
    role: str
    sig: bytes


def parse_manifest(raw: bytes, *, allow_test: bool = False) -> Manifest:
    """The manifest that ``raw`` is. Codes: those of canonical and schema, ``suite.unknown``, and
    ``manifest.*`` of manifest_rules.
    """
    value = cast("dict[str, Json]", decode_document("Manifest", raw))
    suite = get_suite(cast("int", value["suite"]), allow_test=allow_test)
    members = {name: build(inner, value[name]) for name, (inner, _) in MANIFEST.members.items()}
    manifest = Manifest(raw=raw, tender_id=blake2b_256(raw), suite_impl=suite, **members)
    check_rules(manifest)
    for trustee in manifest.trustees:
        message = trustee_message(trustee.expiry_ms, trustee.xpk, trustee.spk, trustee.envelopes)
        if not suite.verify(trustee.spk, message, trustee.proof):
            raise Rejected("manifest.trustee_proof", trustee.name)
    return manifest


def encode_manifest(value: dict[str, Json], *, allow_test: bool = False) -> bytes:
    """The bytes to publish: refused here if they would be refused by anybody."""
    raw = encode_document("Manifest", value)
    parse_manifest(raw, allow_test=allow_test)
    return raw


def trustee_message(expiry_ms: int, xpk: bytes, spk: bytes, envelopes: Sequence[int]) -> bytes:
    """M of formats.md §2, which ``proof`` and a certificate sign; ``envelopes`` ascending."""
    assert len(envelopes) < 256
    numbers = b"".join(number.to_bytes(4, "big") for number in envelopes)
    return _TRUSTEE + expiry_ms.to_bytes(8, "big") + xpk + spk + bytes([len(envelopes)]) + numbers


def manifest_message(tender_id: bytes) -> bytes:
    """What officers sign to put a manifest in force."""
    return _MANIFEST + tender_id


def encode_manifest_signatures(
    tender_id: bytes, signers: Sequence[tuple[str, SigningKey]]
) -> bytes:
    """manifest.sig.json by these (role, key) pairs."""
    message = manifest_message(tender_id)
    signatures: list[Json] = [
        {"pk": key.public.hex(), "role": role, "sig": key.sign(message).hex()}
        for role, key in signers
    ]
    return encode_document(
        "ManifestSignatures", {"signatures": signatures, "tender_id": tender_id.hex()}
    )


def parse_manifest_signatures(raw: bytes, manifest: Manifest) -> tuple[RoleSignature, ...]:
    """The signatures, all valid and by officers of the manifest in the roles they name: at least
    one of agency or purchaser, and one supervisor.

    Codes: those of canonical and schema, ``manifest_signature.tender``, ``.officer`` (unknown, or
    of another role), ``.repeated``, ``.invalid``, ``.roles``.
    """
    value = cast("dict[str, Any]", decode_document("ManifestSignatures", raw))
    if value["tender_id"] != manifest.tender_id.hex():
        raise Rejected("manifest_signature.tender")
    roles, found = manifest.officer_roles(), list[RoleSignature]()
    for each in value["signatures"]:
        pk, sig = bytes.fromhex(each["pk"]), bytes.fromhex(each["sig"])
        if roles.get(pk) != each["role"]:
            raise Rejected("manifest_signature.officer", each["role"])
        if any(pk == other.pk for other in found):
            raise Rejected("manifest_signature.repeated", each["role"])
        if not verify(pk, manifest_message(manifest.tender_id), sig):
            raise Rejected("manifest_signature.invalid", each["role"])
        found.append(RoleSignature(pk, each["role"], sig))
    signed = {signature.role for signature in found}
    if "supervisor" not in signed or not signed & {"agency", "purchaser"}:
        raise Rejected("manifest_signature.roles")
    return tuple(found)
