"""Manifest, its signatures and the form (招标项目清单、开标一览表): formats.md §2 and §4.

What a schema cannot say is checked in ``crypto.manifest`` and ``crypto.form``.
"""

from crypto.objects.common import (
    BODY_BLOCK,
    CODE,
    DAY_MS,
    ENVELOPE,
    FORM_PT_LEN_MAX,
    FORMAT,
    HASH,
    KEY,
    MS,
    NAME,
    NOTE_NAME,
    PARTY,
    SIGNATURE,
    TRUSTEES_MAX,
    U32,
)
from crypto.schema import (
    Ascii,
    Flag,
    Hex,
    Int,
    Items,
    Maybe,
    Obj,
    OneOf,
    Open,
    Schema,
    Tagged,
    Text,
)
from crypto.text import DAYS_MAX, RATE_DIGITS_MAX

_FIELD_COMMON: dict[str, tuple[Schema, str]] = {
    "name": (Ascii("[a-z][a-z0-9_]{0,31}"), "member of the form's `fields`"),
    "label": (
        Obj("Label", "A label", {"en": (Text(1, 100), ""), "zh": (Text(1, 100), "")}),
        "as people see it",
    ),
    "decides": (Flag(), "exactly one field of a form decides"),
    "optional": (Flag(), "may be absent from a form"),
}


def _field(kind: str, title: str, extra: dict[str, tuple[Schema, str]]) -> Obj:
    kind_member: dict[str, tuple[Schema, str]] = {"type": (OneOf((kind,)), "")}
    return Obj(f"{kind.capitalize()}Field", title, {**_FIELD_COMMON, **kind_member, **extra})


FIELD = Tagged(
    "Field",
    "What a bidder fills in (开标一览表的一栏)",
    "type",
    {
        "money": _field("money", "Yuan with two digits, a string", {}),
        "rate": _field(
            "rate",
            "A percentage, a string",
            {"digits": (Int(1, RATE_DIGITS_MAX), "decimals, exactly")},
        ),
        "days": _field(
            "days", "Days, an integer from 1", {"max": (Int(1, DAYS_MAX), "largest lawful value")}
        ),
        "text": _field("text", "Text", {"max": (Int(1, 2000), "code points")}),
    },
)


def _envelope(kind: str, title: str, pt_len_max: Int, extra: dict[str, tuple[Schema, str]]) -> Obj:
    return Obj(
        f"{kind.capitalize()}Envelope",
        title,
        {
            "envelope": (ENVELOPE, "ascending; number 1 is a form of session 1"),
            "kind": (OneOf((kind,)), ""),
            "name": (NAME, ""),
            "log2_chunk": (Int(16, 20), "exact"),
            "pt_len_max": (pt_len_max, "bytes, padded"),
            "mode": (OneOf((0, 1)), "released: 0 unlocked bids, 1 all accepted"),
            "t": (Int(1, TRUSTEES_MAX), "shares needed; t = n only in a demo"),
            "trustees": (
                Items(Int(1, 64), 1, TRUSTEES_MAX),
                "positions from 1 in `trustees`; the header has this order",
            ),
            **extra,
        },
    )


ENVELOPES = Tagged(
    "Envelope",
    "What is sealed and opened together",
    "kind",
    {
        "form": _envelope(
            "form",
            "Read out (开标一览表)",
            Int(FORM_PT_LEN_MAX, FORM_PT_LEN_MAX),
            {"fields": (Items(FIELD, 1, 64), "")},
        ),
        "body": _envelope("body", "Documents", Int(BODY_BLOCK, 2**40), {}),
    },
)

SESSION = Obj(
    "Session",
    "What people see as one countdown (解密时段)",
    {
        "session": (Int(1, 8), "ascending"),
        "envelopes": (Items(ENVELOPE, 1, 16), "ascending; each envelope is in one session"),
        "window_ms": (Int(1, 7 * DAY_MS), ""),
        "reply_ms": (Int(0, 7 * DAY_MS), ""),
        "early_end": (Flag(), "ends when every counting bid is unlocked"),
        "show_count": (Flag(), "the hall sees how many are unlocked"),
        "outage": (OneOf(("extend", "keep")), ""),
        "outage_ms_max": (Int(0, 7 * DAY_MS), ""),
        "unattended": (Flag(), "advances by itself"),
    },
)

CERTIFICATION = Obj(
    "Certification",
    "A certificate's signature over the trustee's keys",
    {
        "chain": (Items(Hex(1, 16_384), 1, 8), "DER, leaf first"),
        "sig": (Hex(64, 1024), "over the trustee message"),
    },
)

TRUSTEE = Obj(
    "Trustee",
    "Holds a share of every host half (持钥人)",
    {
        "role": (OneOf(("agency", "purchaser", "supervisor", "notary", "witness")), ""),
        "code": (CODE, "of the organisation"),
        "organisation": (NAME, ""),
        "name": (NAME, ""),
        "envelopes": (Items(ENVELOPE, 1, 16), "ascending; agrees with `envelopes[].trustees`"),
        "expiry_ms": (MS, "after the deadline"),
        "xpk": (KEY, "shares are sealed to it"),
        "spk": (KEY, "signs RELEASE"),
        "proof": (SIGNATURE, "spk over the trustee message"),
        "ca": (Maybe(CERTIFICATION), "null: uncertified"),
    },
)

OFFICER = Obj(
    "Officer",
    "Signs acts by office",
    {
        "role": (OneOf(("agency", "purchaser", "supervisor", "host")), ""),
        "code": (CODE, "of the organisation"),
        "name": (NAME, ""),
        "pk": (KEY, ""),
    },
)

MANIFEST = Obj(
    "Manifest",
    "The tender manifest, manifest.json (招标项目清单)",
    {
        "format": (FORMAT, ""),
        "suite": (Int(1, 65_535), "0x0001 nacl-1"),
        "demo": (Flag(), "allows t = n and quorum 0"),
        "parent": (Maybe(HASH), "tender_id this is a later round of"),
        "number": (Text(1, 64), "招标编号"),
        "title": (NAME, ""),
        "purchaser": (PARTY, ""),
        "agency": (PARTY, ""),
        "deadline_ms": (MS, "投标截止时间"),
        "template": (Ascii("[a-z0-9.-]{1,64}"), "names the optional stages"),
        "min_bidders": (Int(1, 1000), ""),
        "submissions_max": (Int(1, 100), "of one bidder"),
        "uncertified_allowed": (Flag(), "keys without a certificate"),
        "names_masked": (Flag(), ""),
        "traces": (Flag(), "a form has the member `traces`"),
        "lots": (
            Items(Obj("Lot", "标段", {"lot": (U32, ""), "name": (NAME, "")}), 1, 200),
            "lot 0 alone, or from 1 ascending",
        ),
        "envelopes": (Items(ENVELOPES, 1, 16), ""),
        "sessions": (Items(SESSION, 1, 8), ""),
        "trustees": (Items(TRUSTEE, 1, 64), ""),
        "officers": (
            Items(OFFICER, 3, 32),
            "at least one agency or purchaser, one supervisor, one host",
        ),
        "host_receipt_pk": (KEY, "signs ACKs, invitations and index.sig, nothing else"),
        "log": (
            Obj("Log", "The site log", {"origin": (NOTE_NAME, ""), "pk": (KEY, "")}),
            "",
        ),
        "witnesses": (
            Items(Obj("Witness", "Cosigner", {"name": (NOTE_NAME, ""), "pk": (KEY, "")}), 0, 9),
            "",
        ),
        "quorum": (Int(0, 9), "0 only in a demo"),
        "closing_bound_ms": (Int(0, DAY_MS), ""),
        "programs": (
            Items(
                Obj(
                    "Program",
                    "A program people get elsewhere",
                    {"name": (Ascii("[A-Za-z0-9._-]{1,64}"), ""), "sha256": (HASH, "")},
                ),
                0,
                16,
            ),
            "",
        ),
        "draws": (Items(Open("Draw", "Later"), 0, 0), "empty"),
    },
)

SIGNATURES = Items(
    Obj(
        "RoleSignature",
        "An officer's signature over the tender_id",
        {
            "pk": (KEY, ""),
            "role": (OneOf(("agency", "purchaser", "supervisor")), ""),
            "sig": (SIGNATURE, ""),
        },
    ),
    2,
    4,
)

MANIFEST_SIGNATURES = Obj(
    "ManifestSignatures",
    "manifest.sig.json",
    {"signatures": (SIGNATURES, ""), "tender_id": (HASH, "")},
)

_TRACE = Text(0, 128)

FORM = Obj(
    "Form",
    "What a form envelope holds, before padding (开标一览表)",
    {
        "bidder": (PARTY, ""),
        "fields": (Open("FormFields", "Name to value"), "exactly those of the manifest"),
        "format": (FORMAT, ""),
        "lot": (U32, "the header's"),
        "others": (
            Items(
                Obj(
                    "OtherEnvelope",
                    "Another envelope of the same bid",
                    {"bid_id": (HASH, ""), "envelope": (ENVELOPE, "")},
                ),
                0,
                15,
            ),
            "envelope 1: all others of its SUBMIT, ascending by envelope; later forms: empty",
        ),
        "traces": (
            Obj(
                "Traces",
                "Marks of the machine that made the bid (雷同性特征码)",
                {
                    "deposit_account": (_TRACE, '"": not given'),
                    "file_id": (_TRACE, ""),
                    "lock_numbers": (Items(_TRACE, 0, 8), ""),
                    "machine_code": (_TRACE, ""),
                },
            ),
            "only if the manifest says so",
        ),
    },
    optional=frozenset({"traces"}),
)
