"""Members that several log entries share (日志条目的公共部分)."""

from crypto.objects.common import COUNT, HASH, KEY, MS, SIGNATURE
from crypto.schema import Hex, Int, Items, Obj, OneOf, Schema, Tagged

SIGS = Items(
    Obj(
        "ActSignature",
        "An officer's signature over the act message",
        {"pk": (KEY, ""), "sig": (SIGNATURE, "")},
    ),
    1,
    8,
)

BINDING = Tagged(
    "Binding",
    "Who vouches for a bidder's keys",
    "kind",
    {
        "invitation": Obj(
            "Invitation",
            "Uncertified: the host receipt key vouches",
            {
                "kind": (OneOf(("invitation",)), ""),
                "pk": (KEY, "host_receipt_pk"),
                "sig": (SIGNATURE, "over the bind bytes with the label KBID1 invite"),
            },
        ),
        "certificate": Obj(
            "CertificateBinding",
            "A certificate signs the bind bytes",
            {
                "kind": (OneOf(("certificate",)), ""),
                "chain_sha256": (HASH, ""),
                "sig": (Hex(64, 1024), "over the bind bytes"),
            },
        ),
    },
)

Members = dict[str, tuple[Schema, str]]

SERVER_MS: Members = {"server_ms": (MS, "when it was appended")}
TENDER_ID: Members = {"tender_id": (HASH, "")}
BESIDE: Members = {"sha256": (HASH, "of what travels beside"), "size": (COUNT, "its bytes")}
NONCE: Members = {"nonce": (HASH, "opening_nonce of the window")}
RECEIVED: Members = {"received_ms": (MS, "decides whether it is in time")}
RESULT: Members = {
    "result": (Int(0, 5), "0 accepted, 1 late, 2 incomplete, 3 no match, 4 not lawful now, 5 other")
}
SIGNED: Members = {"sigs": (SIGS, "host and supervisor")}
