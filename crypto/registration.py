"""Binding of a bidder's keys to its organisation (密钥登记): the bytes that are signed, the check.

Invariant: the bidder key signs the bind bytes itself (proof of possession), and somebody else
vouches: the host receipt key for an invitation, which leaves the keys *uncertified* everywhere, or
a certificate. Norm: sealing.md C17; formats.md §5, type 3.
"""

from typing import Any

from crypto.errors import Rejected
from crypto.hashes import label_bytes, sha256
from crypto.keys import verify
from crypto.manifest import Manifest

_BIND = label_bytes("KBID1 bind")
_INVITE = label_bytes("KBID1 invite")


def organisation_hash(code: str) -> bytes:
    """SHA-256 of the organisation code (统一社会信用代码)."""
    return sha256(code.encode("ascii"))


def bind_message(
    tender_id: bytes, bidder_pk: bytes, bidder_xpk: bytes, expiry_ms: int, org_sha256: bytes
) -> bytes:
    """What bidder_pk signs, and a certificate's key."""
    return _BIND + _claims(tender_id, bidder_pk, bidder_xpk, expiry_ms, org_sha256)


def invite_message(
    tender_id: bytes, bidder_pk: bytes, bidder_xpk: bytes, expiry_ms: int, org_sha256: bytes
) -> bytes:
    """What the host receipt key signs for an invitation: the same claims, another label."""
    return _INVITE + _claims(tender_id, bidder_pk, bidder_xpk, expiry_ms, org_sha256)


def check_registration(members: dict[str, Any], manifest: Manifest) -> None:
    """Raise Rejected unless a BIDDER_REG entry's (checked) members hold for this tender.

    Codes: ``registration.tender``, ``.keys``, ``.possession`` (bidder_pk's own signature),
    ``.uncertified`` (the tender refuses invitations), ``.invitation`` (another key, or its
    signature). A certificate is the reader's to check, against a CA list of its own.
    """
    if members["tender_id"] != manifest.tender_id.hex():
        raise Rejected("registration.tender")
    pk, xpk = bytes.fromhex(members["bidder_pk"]), bytes.fromhex(members["bidder_xpk"])
    suite = manifest.suite_impl
    if not suite.is_box_public(xpk):
        raise Rejected("registration.keys")
    claims = (manifest.tender_id, pk, xpk, members["expiry_ms"])
    org_sha256 = bytes.fromhex(members["org_sha256"])
    # A key that C16 does not allow verifies nothing, so it ends here too.
    if not suite.verify(pk, bind_message(*claims, org_sha256), bytes.fromhex(members["sig"])):
        raise Rejected("registration.possession")
    binding = members["binding"]
    if binding["kind"] != "invitation":
        return
    if not manifest.uncertified_allowed:
        raise Rejected("registration.uncertified")
    invite = invite_message(*claims, org_sha256)
    if bytes.fromhex(binding["pk"]) != manifest.host_receipt_pk or not verify(
        manifest.host_receipt_pk, invite, bytes.fromhex(binding["sig"])
    ):
        raise Rejected("registration.invitation")


def _claims(
    tender_id: bytes, bidder_pk: bytes, bidder_xpk: bytes, expiry_ms: int, org_sha256: bytes
) -> bytes:
    return tender_id + bidder_pk + bidder_xpk + expiry_ms.to_bytes(8, "big") + org_sha256
