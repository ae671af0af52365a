"""The example tender of docs/formats: one value per object, from fixed seeds.

Seeds are one byte repeated 32 times: trustees' xpk 01 02 03 and spk 11 12 13, officers 21 22 23,
receipt key 31, log key 32, bidder 41 (signing) and 42 (box).
"""

from typing import Any

from crypto.keys import BoxKey, SigningKey
from crypto.manifest import encode_manifest, parse_manifest, trustee_message
from crypto.messages import build_ack, build_submit
from crypto.registration import bind_message, invite_message, organisation_hash
from crypto.suites import NACL_1, ODD_SIZES, get_suite

DEADLINE_MS = 1_795_138_200_000
START_MS = DEADLINE_MS + 60_000
TICK_MS = DEADLINE_MS + 1000
ORIGIN = "hall.jiangzhou.example/kaibiao/log"
FORM_BID_ID = "7aa14e9f5cbe240cb434c77c32a07952fd05f088c5b7ac652934356244fd97a6"
BODY_BID_ID = "e3f3c0dcca282d2dd64a739ccbd952a910f003b8046d1f9f9858315a5773be77"
NONCE = "a1" * 32
SALT = bytes(range(16))
BIDDER_CODE = "91360800MA00000044"
BIDDER_NAME = "澄江路桥建设（江州）有限公司"
OTHERS = [(2, bytes.fromhex(BODY_BID_ID))]


def signing_key(byte: int) -> SigningKey:
    return SigningKey(bytes([byte]) * 32)


def box_key(byte: int) -> BoxKey:
    return BoxKey(bytes([byte]) * 32)


AGENCY, SUPERVISOR, HOST = signing_key(0x21), signing_key(0x22), signing_key(0x23)
RECEIPT_KEY, LOG_KEY = signing_key(0x31), signing_key(0x32)
BIDDER, BIDDER_BOX = signing_key(0x41), box_key(0x42)
REG_EXPIRY_MS = 1_800_000_000_000

_AGENCY = ("91360800MA00000011", "江州建招代理有限公司")
_PURCHASER = ("91360800MA00000022", "江州市城市建设发展有限公司")
_BUREAU = ("11360800000000033X", "江州市住房和城乡建设局")


def _trustee(number: int, role: str, party: tuple[str, str], name: str) -> dict[str, Any]:
    xpk, key, expiry_ms, envelopes = (
        box_key(number).public,
        signing_key(0x10 + number),
        1_800_000_000_000,
        [1, 2],
    )
    proof = key.sign(trustee_message(expiry_ms, xpk, key.public, envelopes))
    return {
        "role": role,
        "code": party[0],
        "organisation": party[1],
        "name": name,
        "envelopes": envelopes,
        "expiry_ms": expiry_ms,
        "xpk": xpk.hex(),
        "spk": key.public.hex(),
        "proof": proof.hex(),
        "ca": None,
    }


def _field(name: str, kind: str, en: str, zh: str, decides: bool, **more: int) -> dict[str, Any]:
    label = {"en": en, "zh": zh}
    common = {"name": name, "type": kind, "label": label, "decides": decides, "optional": False}
    return common | more


def _officer(role: str, code: str, name: str, key: SigningKey) -> dict[str, Any]:
    return {"role": role, "code": code, "name": name, "pk": key.public.hex()}


def manifest_value(suite: int = NACL_1) -> dict[str, Any]:
    """The manifest of formats.md §2 (or the same under another suite)."""
    sealed = {"mode": 0, "t": 2, "trustees": [1, 2, 3]}
    return {
        "format": 1,
        "suite": suite,
        "demo": True,
        "parent": None,
        "number": "JZ-2026-SG-0417",
        "title": "滨河东路道路改造工程（施工）",
        "purchaser": {"code": _PURCHASER[0], "name": _PURCHASER[1]},
        "agency": {"code": _AGENCY[0], "name": _AGENCY[1]},
        "deadline_ms": DEADLINE_MS,
        "template": "building",
        "min_bidders": 3,
        "submissions_max": 20,
        "uncertified_allowed": True,
        "traces": False,
        "names_masked": False,
        "lots": [{"lot": 1, "name": "第一标段"}],
        "envelopes": [
            {
                "envelope": 1,
                "kind": "form",
                "name": "开标一览表",
                "log2_chunk": 16,
                "pt_len_max": 65_536,
                **sealed,
                "fields": [
                    _field("price", "money", "Bid price", "投标报价", True),
                    _field("days", "days", "Duration", "工期", False, max=3650),
                    _field("manager", "text", "Project manager", "项目经理", False, max=40),
                ],
            },
            {
                "envelope": 2,
                "kind": "body",
                "name": "技术标",
                "log2_chunk": 20,
                "pt_len_max": 2_147_483_648,
                **sealed,
            },
        ],
        "sessions": [
            {
                "session": 1,
                "envelopes": [1, 2],
                "window_ms": 1_800_000,
                "reply_ms": 900_000,
                "early_end": True,
                "show_count": True,
                "outage": "extend",
                "outage_ms_max": 1_800_000,
                "unattended": False,
            }
        ],
        "trustees": [
            _trustee(1, "agency", _AGENCY, "李明"),
            _trustee(2, "purchaser", _PURCHASER, "王芳"),
            _trustee(3, "supervisor", _BUREAU, "赵强"),
        ],
        "officers": [
            _officer("agency", _AGENCY[0], "陈静", AGENCY),
            _officer("supervisor", _BUREAU[0], "周岩", SUPERVISOR),
            _officer("host", _AGENCY[0], "林悦", HOST),
        ],
        "host_receipt_pk": RECEIPT_KEY.public.hex(),
        "log": {"origin": ORIGIN, "pk": LOG_KEY.public.hex()},
        "witnesses": [],
        "quorum": 0,
        "closing_bound_ms": 60_000,
        "programs": [],
        "draws": [],
    }


MANIFEST = parse_manifest(encode_manifest(manifest_value()))
ODD_MANIFEST_RAW = encode_manifest(manifest_value(ODD_SIZES), allow_test=True)
TENDER_ID = MANIFEST.tender_id.hex()

FIELDS: dict[str, str | int] = {"days": 160, "manager": "何川", "price": "71000000.00"}
FORM_VALUE: dict[str, Any] = {
    "bidder": {"code": BIDDER_CODE, "name": BIDDER_NAME},
    "fields": FIELDS,
    "format": 1,
    "lot": 1,
    "others": [{"bid_id": BODY_BID_ID, "envelope": 2}],
}

SUBMIT = build_submit(
    get_suite(NACL_1),
    tender_id=MANIFEST.tender_id,
    lot=1,
    seq=1,
    prev=bytes(32),
    items=[(1, bytes.fromhex(FORM_BID_ID)), *OTHERS],
    key=BIDDER,
)
RECEIVED_MS = DEADLINE_MS - 3_600_000
ACK = build_ack(RECEIPT_KEY, MANIFEST.tender_id, 1, SUBMIT.digest, 0, RECEIVED_MS)

_CLAIMS = (
    MANIFEST.tender_id,
    BIDDER.public,
    BIDDER_BOX.public,
    REG_EXPIRY_MS,
    organisation_hash(BIDDER_CODE),
)
BIND_MESSAGE, INVITE_MESSAGE = bind_message(*_CLAIMS), invite_message(*_CLAIMS)
BIDDER_REG: dict[str, Any] = {
    "bidder_pk": BIDDER.public.hex(),
    "bidder_xpk": BIDDER_BOX.public.hex(),
    "org_sha256": organisation_hash(BIDDER_CODE).hex(),
    "expiry_ms": REG_EXPIRY_MS,
    "sig": BIDDER.sign(BIND_MESSAGE).hex(),
    "binding": {
        "kind": "invitation",
        "pk": RECEIPT_KEY.public.hex(),
        "sig": RECEIPT_KEY.sign(INVITE_MESSAGE).hex(),
    },
    "server_ms": RECEIVED_MS - 86_400_000,
    "tender_id": TENDER_ID,
}
