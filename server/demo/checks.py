"""What a client checks before a half or a share leaves its device (C7), as the demo's people do it.

The pages do the same in `web_client/src/crypto`. Each check has its own code; a client that
meets one sends nothing.
"""

from collections.abc import Mapping
from typing import Any

from crypto.canonical import encode
from crypto.checkpoint import Checkpoint, parse_checkpoint
from crypto.entries import Entry
from crypto.errors import Rejected
from crypto.hashes import sha256
from crypto.header import Header, accept_header, parse_header
from crypto.manifest import Manifest
from crypto.messages import parse_submit, signature_ok
from crypto.objects.entry import EntryType
from crypto.receipts import (
    closed_list_root,
    parse_proof,
    verify_consistency_json,
    verify_proof,
)
from crypto.registration import check_registration
from crypto.sealing import bidder_half_matches


def shown(proof: Mapping[str, Any] | None, under: Checkpoint, entry_type: EntryType) -> Entry:
    """The entry of a proof, once it is shown to be under this checkpoint."""
    if proof is None:
        raise Rejected("check.proof_missing", entry_type.name)
    entry = verify_proof(parse_proof(encode(dict(proof))), under)
    if entry.type != entry_type:
        raise Rejected("check.proof_type")
    return entry


def check_closing(
    rules: Manifest, proofs: Mapping[str, Any], closed: list[str], now_ms: int
) -> Checkpoint:
    """DEADLINE_CLOSED is logged, its list is the one shown, and the deadline has passed."""
    newest = parse_checkpoint(proofs["checkpoint"], rules.log.origin, rules.log.pk)
    entry = shown(proofs["deadline_closed"], newest, EntryType.DEADLINE_CLOSED)
    members: Any = entry.members
    if members["tender_id"] != rules.tender_id.hex():
        raise Rejected("check.tender")
    digests = [bytes.fromhex(one) for one in closed]
    if members["count"] != len(digests):
        raise Rejected("check.closed_count")
    if members["list_root"] != closed_list_root(digests).hex():
        raise Rejected("check.closed_list")
    if now_ms < members["deadline_ms"]:
        raise Rejected("check.before_deadline")
    return newest


def check_window(
    rules: Manifest, proofs: Mapping[str, Any], nonces: Mapping[int, bytes], w: int
) -> None:
    """Every nonce of the window is the logged one, for its envelope."""
    newest = parse_checkpoint(proofs["checkpoint"], rules.log.origin, rules.log.pk)
    logged: set[tuple[int, int, str]] = set()
    for proof in proofs["opening_starts"]:
        members: Any = shown(proof, newest, EntryType.OPENING_START).members
        logged.add((members["envelope"], members["w"], members["nonce"]))
    for envelope, nonce in nonces.items():
        if (envelope, w, nonce.hex()) not in logged:
            raise Rejected("check.nonce")


def check_own_bid(
    rules: Manifest,
    receipt: Mapping[str, Any],
    closed: list[str],
    consistency: Mapping[str, Any],
    newest: Checkpoint,
) -> None:
    """The own SUBMIT is in the closed list, and the log still contains the tree of the receipt."""
    old = parse_checkpoint(receipt["checkpoint"], rules.log.origin, rules.log.pk)
    shown(receipt["proof"], old, EntryType.SUBMIT)
    if sha256(bytes.fromhex(receipt["message"])).hex() not in closed:
        raise Rejected("check.bid_not_closed")
    if old.size < newest.size:
        verify_consistency_json(dict(consistency), old, newest)


def check_every_bid(
    rules: Manifest, envelopes: Mapping[str, Any], closed: list[str], under: Checkpoint
) -> dict[int, list[Header]]:
    """The trustee's part of C7: every SUBMIT of the closed list, and every header under C6 with
    the keys that were registered; by envelope number.
    """
    registered = _registered(rules, envelopes["registrations"], under)
    submits = [bytes.fromhex(raw) for raw in envelopes["submits"]]
    if sorted(sha256(raw).hex() for raw in submits) != sorted(closed):
        raise Rejected("check.closed_list")
    headers: dict[bytes, Header] = {}
    for text in envelopes["headers"]:
        header = parse_header(bytes.fromhex(text), rules.suite_impl)
        headers[header.bid_id] = header
    found: dict[int, list[Header]] = {}
    for raw in submits:
        submit = parse_submit(raw, rules.suite_impl)
        if not signature_ok(submit, submit.bidder_pk):
            raise Rejected("check.submit_signature")
        for envelope, bid_id in submit.items:
            header = headers[bid_id]
            if submit.bidder_pk not in registered:
                raise Rejected("check.unregistered")
            xpk = registered[submit.bidder_pk]
            accept_header(header.raw, rules.terms(envelope, submit.bidder_pk, xpk))
            found.setdefault(envelope, []).append(header)
    return found


def _registered(
    rules: Manifest, proofs: list[Mapping[str, Any]], under: Checkpoint
) -> dict[bytes, bytes]:
    """bidder_pk -> bidder_xpk, as logged and bound (C17)."""
    keys: dict[bytes, bytes] = {}
    for proof in proofs:
        members: Any = shown(proof, under, EntryType.BIDDER_REG).members
        check_registration(members, rules)
        keys[bytes.fromhex(members["bidder_pk"])] = bytes.fromhex(members["bidder_xpk"])
    return keys


def check_halves(headers: list[Header], halves: Mapping[str, str]) -> None:
    """Every bid of the release set has an s_B that matches its commitment (mode unlocked)."""
    for header in headers:
        half = bytes.fromhex(halves[header.bid_id.hex()])
        if not bidder_half_matches(header, half):
            raise Rejected("check.half")
