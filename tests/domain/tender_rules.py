"""Manifests of the tests: one sample tender (样品项目), and what a test wants to be different."""

from functools import cache
from typing import Any

from crypto.manifest import (
    Manifest,
    encode_manifest,
    encode_manifest_signatures,
    parse_manifest,
    trustee_message,
)
from tests.domain.cast import (
    AGENCY,
    AGENCY_KEY,
    HOST_KEY,
    LOG_KEY,
    PURCHASER,
    RECEIPT_KEY,
    SUPERVISOR,
    SUPERVISOR_KEY,
    TRUSTEE_ORGS,
    TRUSTEES,
)

DEADLINE_MS = 1_795_138_200_000
WINDOW_MS = 600_000
REPLY_MS = 300_000
EXPIRY_MS = DEADLINE_MS + 365 * 86_400_000
ORIGIN = "hall.jiangzhou.example/kaibiao/log"
FORM, BODY, SECOND_FORM = 1, 2, 3
TRUSTEE_ROLES = ("agency", "purchaser", "supervisor")


@cache
def sample_rules(
    *,
    suite: int = 1,
    lots: tuple[int, ...] = (1,),
    mode: int = 0,
    body: bool = True,
    second_session: bool = False,
    t: int = 2,
    demo: bool = True,
    form_trustees: tuple[int, ...] = (1, 2, 3),
    body_trustees: tuple[int, ...] = (1, 2, 3),
    min_bidders: int = 1,
    submissions_max: int = 20,
    names_masked: bool = False,
    uncertified_allowed: bool = True,
    early_end: bool = True,
    unattended: bool = False,
    outage: str = "extend",
    outage_ms_max: int = 120_000,
    window_ms: int = WINDOW_MS,
    deadline_ms: int = DEADLINE_MS,
    trustee_expiry_ms: int = EXPIRY_MS,
) -> Manifest:
    """The rule book of the sample tender, checked as any manifest is."""
    form = {"envelope": FORM, "kind": "form", "name": "开标一览表", "pt_len_max": 65_536}
    tech = {"envelope": BODY, "kind": "body", "name": "技术标", "pt_len_max": 1 << 20}
    later = {**form, "envelope": SECOND_FORM, "name": "报价文件"}
    seal = {"log2_chunk": 16, "mode": mode, "t": t}
    fields = [_field("price", "money", decides=True), _field("days", "days", max=3650)]
    envelopes = [{**form, **seal, "trustees": list(form_trustees), "fields": fields}]
    if body:
        envelopes.append({**tech, **seal, "trustees": list(body_trustees)})
    if second_session:
        envelopes.append({**later, **seal, "trustees": list(form_trustees), "fields": fields})
    session = {
        "session": 1,
        "envelopes": [e["envelope"] for e in envelopes if e["envelope"] != SECOND_FORM],
        "window_ms": window_ms,
        "reply_ms": REPLY_MS,
        "early_end": early_end,
        "show_count": True,
        "outage": outage,
        "outage_ms_max": outage_ms_max,
        "unattended": unattended,
    }
    sessions = [session]
    if second_session:
        sessions.append({**session, "session": 2, "envelopes": [SECOND_FORM]})
    value: dict[str, Any] = {
        "format": 1,
        "suite": suite,
        "demo": demo,
        "parent": None,
        "number": "JZ-2026-SG-0417",
        "title": "滨河东路道路改造工程（施工）",
        "purchaser": {"code": PURCHASER[0], "name": PURCHASER[1]},
        "agency": {"code": AGENCY[0], "name": AGENCY[1]},
        "deadline_ms": deadline_ms,
        "template": "building",
        "min_bidders": min_bidders,
        "submissions_max": submissions_max,
        "uncertified_allowed": uncertified_allowed,
        "names_masked": names_masked,
        "traces": False,
        "lots": [{"lot": lot, "name": f"第{lot}标段"} for lot in lots],
        "envelopes": envelopes,
        "sessions": sessions,
        "trustees": _trustees(envelopes, trustee_expiry_ms, certified=not uncertified_allowed),
        "officers": _officers(),
        "host_receipt_pk": RECEIPT_KEY.public.hex(),
        "log": {"origin": ORIGIN, "pk": LOG_KEY.public.hex()},
        "witnesses": [],
        "quorum": 0,
        "closing_bound_ms": 60_000,
        "programs": [],
        "draws": [],
    }
    return parse_manifest(encode_manifest(value, allow_test=True), allow_test=True)


def signatures_of(rules: Manifest) -> bytes:
    """manifest.sig.json by the agency's and the supervisor's officer."""
    return encode_manifest_signatures(
        rules.tender_id, [("agency", AGENCY_KEY), ("supervisor", SUPERVISOR_KEY)]
    )


def _field(name: str, type_: str, *, decides: bool = False, **more: Any) -> dict[str, Any]:
    label = {"en": name, "zh": name}
    common = {"name": name, "type": type_, "label": label, "decides": decides, "optional": False}
    return {**common, **more}


def _officers() -> list[dict[str, str]]:
    named = (
        ("agency", AGENCY, AGENCY_KEY),
        ("supervisor", SUPERVISOR, SUPERVISOR_KEY),
        ("host", AGENCY, HOST_KEY),
    )
    return [
        {"role": role, "code": code, "name": name, "pk": key.public.hex()}
        for role, (code, name), key in named
    ]


def _trustees(
    envelopes: list[dict[str, Any]], expiry_ms: int, *, certified: bool
) -> list[dict[str, Any]]:
    trustees: list[dict[str, Any]] = []
    for trustee, role, (code, organisation) in zip(
        TRUSTEES, TRUSTEE_ROLES, TRUSTEE_ORGS, strict=True
    ):
        serves = [e["envelope"] for e in envelopes if trustee.place in e["trustees"]]
        message = trustee_message(expiry_ms, trustee.box.public, trustee.sign.public, serves)
        trustees.append(
            {
                "role": role,
                "code": code,
                "organisation": organisation,
                "name": f"持钥人{trustee.place}",
                "envelopes": serves,
                "expiry_ms": expiry_ms,
                "xpk": trustee.box.public.hex(),
                "spk": trustee.sign.public.hex(),
                "proof": trustee.sign.sign(message).hex(),
                "ca": {"chain": ["30"], "sig": "00" * 64} if certified else None,
            }
        )
    return trustees
