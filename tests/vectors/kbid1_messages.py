"""Messages, cards and key files that must work, with all inputs and all bytes."""

from typing import Any

from kbid1_tender import (
    BIDDER,
    BIDDER_BOX,
    CREATED_MS,
    RECEIPT_KEY,
    TENDER_ID,
    TRUSTEE_SIGNERS,
    octets,
)

from crypto.card import card_text
from crypto.keyfile import create_keyfile
from crypto.messages import (
    build_ack,
    build_card_unlock,
    build_release,
    build_self_release,
    build_submit,
    build_unlock,
)
from crypto.suites import Suite


def messages_json(suite: Suite) -> dict[str, object]:
    """Each: its inputs, its bytes, the SHA-256 of them, and who signed."""
    bid_ids = [octets(f"bid {index}", suite.bid_id_size) for index in range(3)]
    halves = [octets(f"half {index}", suite.bidder_half_size) for index in range(3)]
    scalars = [suite.reduce(octets(f"scalar {index}", suite.wide_size)) for index in range(2)]
    shares = [suite.share_at([scalar], 1) for scalar in scalars]
    nonce, root = octets("opening nonce", 32), octets("checkpoint root", 32)
    chain: list[dict[str, object]] = []
    prev = bytes(32)
    for seq, items in enumerate(([(1, bid_ids[0])], [(2, bid_ids[2]), (1, bid_ids[1])], []), 1):
        kind = 1 if items else 2
        message = build_submit(
            suite,
            tender_id=TENDER_ID,
            lot=1,
            seq=seq,
            prev=prev,
            items=items,
            key=BIDDER,
            kind=kind,
        )
        inputs = {
            "tender_id": TENDER_ID.hex(),
            "sign_seed": BIDDER.seed.hex(),
            "lot": 1,
            "seq": seq,
            "prev": prev.hex(),
            "kind": kind,
            "items": [{"envelope": number, "bid_id": bid.hex()} for number, bid in items],
        }
        chain.append(_message(inputs, message, BIDDER.public))
        prev = message.digest
    window = {"tender_id": TENDER_ID.hex(), "opening_nonce": nonce.hex()}
    unlocks: list[dict[str, object]] = []
    for envelope, w, count in ((1, 1, 1), (2, 3, 3)):
        pairs = list(zip(bid_ids[:count], halves[:count], strict=True))
        unlock = build_unlock(
            suite,
            tender_id=TENDER_ID,
            opening_nonce=nonce,
            envelope=envelope,
            w=w,
            items=pairs,
            key=BIDDER,
        )
        inputs = window | {
            "sign_seed": BIDDER.seed.hex(),
            "envelope": envelope,
            "w": w,
            "items": [{"bid_id": bid.hex(), "s_B": half.hex()} for bid, half in pairs],
        }
        unlocks.append(_message(inputs, unlock, BIDDER.public))
    return {
        "submit": chain,
        "unlock": unlocks,
        "release": _releases(suite, bid_ids, shares, nonce, root),
        "ack": _acks(bytes.fromhex(str(chain[0]["digest"]))),
        "card_unlock": [
            _message(
                window | {"bid_id": bid_ids[0].hex(), "s_B": halves[0].hex()},
                build_card_unlock(
                    suite,
                    tender_id=TENDER_ID,
                    opening_nonce=nonce,
                    bid_id=bid_ids[0],
                    bidder_half=halves[0],
                ),
            )
        ],
        "self_release": [
            _message(
                window | {"bid_id": bid_ids[0].hex(), "s_H": scalars[0].hex()},
                build_self_release(
                    suite,
                    tender_id=TENDER_ID,
                    opening_nonce=nonce,
                    bid_id=bid_ids[0],
                    host_half=scalars[0],
                ),
            )
        ],
        "card": [
            {"bid_id": bid.hex(), "s_B": half.hex(), "text": card_text(bid, half, suite)}
            for bid, half in zip(bid_ids, halves, strict=True)
        ],
    }


def _releases(
    suite: Suite, bid_ids: list[bytes], shares: list[bytes], nonce: bytes, root: bytes
) -> list[dict[str, object]]:
    nothing = bytes(suite.share_size)
    lists = (
        (1, 0, [(bid_ids[0], 0, shares[0]), (bid_ids[1], 0, shares[1])]),
        (
            2,
            1,
            [(bid_ids[0], 1, nothing), (bid_ids[1], 2, nothing), (bid_ids[2], 3, nothing)],
        ),
        (9, 0, []),
    )
    shown: list[dict[str, object]] = []
    for i, mode, items in lists:
        signer = TRUSTEE_SIGNERS[i - 1]
        release = build_release(
            suite,
            tender_id=TENDER_ID,
            root=root,
            size=1_700_000_123,
            opening_nonce=nonce,
            envelope=1,
            i=i,
            mode=mode,
            items=items,
            key=signer,
        )
        inputs = {
            "tender_id": TENDER_ID.hex(),
            "root": root.hex(),
            "size": 1_700_000_123,
            "opening_nonce": nonce.hex(),
            "sign_seed": signer.seed.hex(),
            "envelope": 1,
            "i": i,
            "mode": mode,
            "items": [
                {"bid_id": bid.hex(), "status": status, "share": share.hex()}
                for bid, status, share in items
            ],
        }
        shown.append(_message(inputs, release, signer.public))
    return shown


def _acks(digest: bytes) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = []
    for kind, result, received_ms, signed_ms in (
        (1, 0, CREATED_MS, CREATED_MS),
        (3, 1, CREATED_MS, CREATED_MS + 1234),
        (7, 5, 0, 0),
    ):
        ack = build_ack(
            RECEIPT_KEY, TENDER_ID, kind, digest, result, received_ms, signed_ms=signed_ms
        )
        inputs = {
            "tender_id": TENDER_ID.hex(),
            "sign_seed": RECEIPT_KEY.seed.hex(),
            "kind": kind,
            "message_sha256": digest.hex(),
            "result": result,
            "server_ms": received_ms,
            "signed_ms": signed_ms,
            "integrate_by_ms": ack.integrate_by_ms,
        }
        shown.append(_message(inputs, ack, RECEIPT_KEY.public))
    return shown


def keyfiles_json() -> list[dict[str, object]]:
    """The second passphrase is written in NFD; both spell the same key (NFC)."""
    salt, nonce = octets("salt", 16), octets("nonce", 24)
    shown: list[dict[str, object]] = []
    for passphrase in ("开标 Café 2026", "开标 Cafe\u0301 2026"):
        raw = create_keyfile(passphrase, TENDER_ID, BIDDER.seed, BIDDER_BOX.seed, salt, nonce)
        shown.append(
            {
                "passphrase": passphrase,
                "tender_id": TENDER_ID.hex(),
                "sign_seed": BIDDER.seed.hex(),
                "xpk_seed": BIDDER_BOX.seed.hex(),
                "salt": salt.hex(),
                "nonce": nonce.hex(),
                "file": raw.decode(),
            }
        )
    return shown


def _message(
    inputs: dict[str, object], message: Any, signer: bytes | None = None
) -> dict[str, Any]:
    return {
        "inputs": inputs,
        "raw": message.raw.hex(),
        "digest": message.digest.hex(),
        "signer": signer.hex() if signer else None,
    }
