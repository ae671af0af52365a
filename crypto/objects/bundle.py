"""Objects of opening.zip and the key file (开标包、密钥文件): formats.md §8 and §9."""

from crypto.objects.common import BIDS_MAX, FORMAT, HASH, KEY, STATES
from crypto.objects.tender import FORM
from crypto.schema import Ascii, Hex, Int, Items, Maybe, Obj, OneOf

INDEX = Obj(
    "BundleIndex",
    "index.json of opening.zip",
    {
        "format": (FORMAT, ""),
        "members": (
            Items(
                Obj(
                    "BundleMember",
                    "A file of the bundle",
                    {
                        "name": (Ascii(r"[a-z0-9][a-z0-9./-]{0,199}"), ""),
                        "sha256": (HASH, ""),
                        "size": (Int(0, 2**48), ""),
                    },
                ),
                1,
                8 * BIDS_MAX,
            ),
            "all but index.json and index.sig, sorted by name",
        ),
        "tender_id": (HASH, ""),
    },
)

CLOSED = Obj(
    "ClosedList",
    "closed.json",
    {"submits": (Items(HASH, 0, BIDS_MAX), "SHA-256 of the counting SUBMITs, sorted")},
)

FROZEN = Obj(
    "Frozen",
    "frozen.json: states and form hashes of one window",
    {
        "bids": (
            Items(
                Obj(
                    "FrozenBid",
                    "",
                    {
                        "bid_id": (HASH, ""),
                        "form_sha256": (Maybe(HASH), "of the unpadded form; null: not opened"),
                        "state": (OneOf(STATES), ""),
                    },
                ),
                0,
                BIDS_MAX,
            ),
            "sorted by bid_id",
        ),
        "nonce": (HASH, "opening_nonce"),
    },
)

READ_OUT_ROW = Obj(
    "ReadOutRow",
    "An opened form with its bid_id",
    {"bid_id": (HASH, ""), **FORM.members},
    optional=FORM.optional,
)

READ_OUT = Obj(
    "ReadOut",
    "readout.json (唱标)",
    {
        "format": (FORMAT, ""),
        "nonce": (HASH, "opening_nonce"),
        "rows": (Items(READ_OUT_ROW, 0, BIDS_MAX), "sorted by bid_id"),
        "tender_id": (HASH, ""),
    },
)

KEY_FILE = Obj(
    "KeyFile",
    "*.kbk: a bidder's keys for one tender, under a passphrase (密钥文件)",
    {
        "argon2id": (
            Obj(
                "Argon2id",
                "",
                {
                    "memory_kib": (OneOf((65_536,)), ""),
                    "passes": (OneOf((3,)), ""),
                    "salt": (Hex(16, 16), ""),
                },
            ),
            "",
        ),
        "box": (Hex(41, 4096), "nonce24 ‖ secretbox of JCS {sign_seed, tender_id, xpk_seed}"),
        "format": (FORMAT, ""),
        "pk": (KEY, ""),
        "xpk": (KEY, ""),
    },
)
