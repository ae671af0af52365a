"""Keys and manifest of the sample tender (样品项目), all from fixed names."""

from typing import Any

from crypto.hashes import sha256
from crypto.keys import BoxKey, SigningKey
from crypto.manifest import trustee_message

START_MS = 1_795_138_000_000
DEADLINE_MS = START_MS + 20_000
WINDOW_MS = 10_000
EXPIRY_MS = 1_800_000_000_000
ORIGIN = "hall.jiangzhou.example/kaibiao/log"
CODES = ("91360800MA00000011", "91360800MA00000022", "11360800000000033X")


def signing(name: str) -> SigningKey:
    return SigningKey(sha256(b"sign", name.encode()))


def box(name: str) -> BoxKey:
    return BoxKey(sha256(b"box", name.encode()))


AGENCY, SUPERVISOR, HOST = signing("agency"), signing("supervisor"), signing("host")
RECEIPT_KEY, LOG_KEY = signing("receipt"), signing("log")


def _trustee(i: int, envelopes: list[int]) -> dict[str, Any]:
    key, xpk = signing(f"trustee {i}"), box(f"trustee {i}").public
    proof = key.sign(trustee_message(EXPIRY_MS, xpk, key.public, envelopes))
    return {
        "role": ("agency", "purchaser", "supervisor")[i - 1],
        "code": CODES[i - 1],
        "organisation": f"单位{i}",
        "name": f"持钥人{i}",
        "envelopes": envelopes,
        "expiry_ms": EXPIRY_MS,
        "xpk": xpk.hex(),
        "spk": key.public.hex(),
        "proof": proof.hex(),
        "ca": None,
    }


def manifest_value(**changes: Any) -> dict[str, Any]:
    """A tender with a form and a body, three trustees, t = 2, no witnesses."""
    label = {"en": "Bid price", "zh": "投标报价"}
    price = {"name": "price", "type": "money", "label": label, "decides": True, "optional": False}
    sealed = {"log2_chunk": 16, "mode": 0, "t": 2, "trustees": [1, 2, 3]}
    form = {"envelope": 1, "kind": "form", "name": "开标一览表", "pt_len_max": 65_536}
    body = {"envelope": 2, "kind": "body", "name": "技术标", "pt_len_max": 1 << 20}
    session = {"session": 1, "envelopes": [1, 2], "window_ms": WINDOW_MS, "reply_ms": 5000}
    officers = zip(("agency", "supervisor", "host"), (AGENCY, SUPERVISOR, HOST), strict=True)
    return {
        "format": 1,
        "suite": 1,
        "demo": True,
        "parent": None,
        "number": "JZ-2026-SG-0417",
        "title": "滨河东路道路改造工程（施工）",
        "purchaser": {"code": CODES[1], "name": "江州市城市建设发展有限公司"},
        "agency": {"code": CODES[0], "name": "江州建招代理有限公司"},
        "deadline_ms": DEADLINE_MS,
        "template": "building",
        "min_bidders": 1,
        "submissions_max": 20,
        "uncertified_allowed": True,
        "names_masked": False,
        "traces": False,
        "lots": [{"lot": 1, "name": "第一标段"}],
        "envelopes": [form | sealed | {"fields": [price]}, body | sealed],
        "sessions": [
            session
            | {"early_end": True, "show_count": True, "outage": "extend"}
            | {"outage_ms_max": 60_000, "unattended": False}
        ],
        "trustees": [_trustee(i, [1, 2]) for i in (1, 2, 3)],
        "officers": [
            {"role": role, "code": CODES[0], "name": f"经办{role}", "pk": key.public.hex()}
            for role, key in officers
        ],
        "host_receipt_pk": RECEIPT_KEY.public.hex(),
        "log": {"origin": ORIGIN, "pk": LOG_KEY.public.hex()},
        "witnesses": [],
        "quorum": 0,
        "closing_bound_ms": 60_000,
        "programs": [],
        "draws": [],
    } | changes


# Opening nonces of the first window, by envelope.
NONCE_1 = sha256(b"nonce", bytes([1, 1])).hex()
NONCE_2 = sha256(b"nonce", bytes([2, 1])).hex()
