"""The cast (演示人物) and the tenders they meet in. Names and firms are invented.

Everybody's keys follow from one random seed per site, so that a restarted demo knows its people
again; a demo's keys protect nothing and are shown on its front page.
"""

from dataclasses import dataclass

from crypto.canonical import Json
from crypto.hashes import labelled
from crypto.keys import BoxKey, SigningKey
from crypto.manifest import (
    encode_manifest,
    encode_manifest_signatures,
    parse_manifest,
    trustee_message,
)
from server.domain.model import Role
from server.domain.templates.building import BUILDING
from server.domain.templates.drafting import envelopes_of

DAY_MS = 24 * 3600 * 1000
AGENCY = ("91360800MA00000011", "江州建招代理有限公司")
PURCHASER = ("91360800MA00000022", "江州市城市建设发展有限公司")
SUPERVISOR = ("11360800000000033X", "江州市住房和城乡建设局")
EXPERTS = ("12360000000000055E", "省综合评标专家库")
EXPERT_NAMES = ("陈立", "方敏", "郑屹", "石岚", "乔远", "段清", "贺平")

FIRMS = (
    "澄江路桥建设（江州）有限公司",
    "青岚市政工程有限公司",
    "望山建工集团有限公司",
    "南浦第三建筑工程有限公司",
    "恒川路桥股份有限公司",
    "双溪水利水电建设有限公司",
    "临江城建工程有限公司",
    "云岭交通建设集团有限公司",
    "大成基础工程有限公司",
    "安澜市政园林有限公司",
    "中岳建设有限公司",
    "北辰道桥工程有限公司",
)
MANAGERS = ("何川", "沈岚", "陆远山", "许之南", "顾恒", "白溪", "江晚", "云飞", "成大器", "安然")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a login key; ``seed`` is that key's seed."""

    person: str
    role: Role
    org: str
    org_name: str
    name: str
    seed: bytes

    @property
    def login_pk(self) -> bytes:
        return SigningKey(self.seed).public


@dataclass(frozen=True, slots=True)
class TrusteeKeys:
    person: Person
    role: str
    box: BoxKey
    sign: SigningKey


class World:
    """Everybody, from one seed."""

    def __init__(self, seed: bytes, bidders: int) -> None:
        self._seed = seed
        self.host = self._person("host", Role.HOST, *AGENCY, "林悦")
        self.supervisor = self._person("supervisor", Role.SUPERVISOR, *SUPERVISOR, "周岩")
        self.purchaser = self._person("purchaser", Role.PURCHASER, *PURCHASER, "王芳")
        self.witness = self._person(
            "witness", Role.WITNESS, "12360800000000044A", "江州公证处", "吴静"
        )
        self.agency_officer = self._key("officer/agency")
        self.supervisor_officer = self._key("officer/supervisor")
        self.host_officer = self._key("officer/host")
        self.trustees = (
            self._trustee("agency", *AGENCY, "李明"),
            self._trustee("purchaser", *PURCHASER, "王芳"),
            self._trustee("supervisor", *SUPERVISOR, "赵强"),
        )
        self.experts = tuple(
            self._person(f"expert-{number}", Role.EXPERT, *EXPERTS, name)
            for number, name in enumerate(EXPERT_NAMES, 1)
        )
        self.bidders = tuple(self._bidder(number) for number in range(1, bidders + 1))

    def _key(self, name: str) -> SigningKey:
        return SigningKey(labelled("KBDEMO key", name.encode(), key=self._seed))

    def _person(self, person: str, role: Role, org: str, org_name: str, name: str) -> Person:
        return Person(person, role, org, org_name, name, self._key(f"login/{person}").seed)

    def _trustee(self, role: str, org: str, org_name: str, name: str) -> TrusteeKeys:
        person = self._person(f"trustee-{role}", Role.TRUSTEE, org, org_name, name)
        box = BoxKey(labelled("KBDEMO key", f"trustee/{role}/x".encode(), key=self._seed))
        return TrusteeKeys(person, role, box, self._key(f"trustee/{role}/s"))

    def _bidder(self, number: int) -> Person:
        firm = FIRMS[(number - 1) % len(FIRMS)]
        rounds = (number - 1) // len(FIRMS)
        name = firm if rounds == 0 else f"{firm}第{rounds + 1}分公司"
        code = f"91360800MB{number:08d}"
        return self._person(f"bidder-{number}", Role.BIDDER, code, name, name)

    def everybody(self) -> list[Person]:
        staff = [self.host, self.supervisor, self.purchaser, self.witness]
        return [*staff, *(t.person for t in self.trustees), *self.experts, *self.bidders]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderPlan:
    """What differs between the demo's tenders. ``body``: whether bids have a technical file."""

    number: str
    title: str
    deadline_ms: int
    window_ms: int = 180_000
    reply_ms: int = 60_000
    unattended: bool = False
    body: bool = True
    body_pt_len_max: int = 1 << 31
    suite: int = 1
    outage: str = "extend"
    min_bidders: int = 3


def build_manifest(
    world: World, plan: TenderPlan, *, receipt_pk: bytes, log_origin: str, log_pk: bytes
) -> tuple[bytes, bytes]:
    """(manifest.json, manifest.sig.json) of a demo tender."""
    expiry_ms = plan.deadline_ms + 365 * DAY_MS
    numbers = [1, 2] if plan.body else [1]
    session: dict[str, Json] = {
        "session": 1,
        "envelopes": list(numbers),
        "window_ms": plan.window_ms,
        "reply_ms": plan.reply_ms,
        "early_end": True,
        "show_count": True,
        "outage": plan.outage,
        "outage_ms_max": plan.window_ms,
        "unattended": plan.unattended,
    }
    value: dict[str, Json] = {
        "format": 1,
        "suite": plan.suite,
        "demo": True,
        "parent": None,
        "number": plan.number,
        "title": plan.title,
        "purchaser": {"code": PURCHASER[0], "name": PURCHASER[1]},
        "agency": {"code": AGENCY[0], "name": AGENCY[1]},
        "deadline_ms": plan.deadline_ms,
        "template": "building",
        "min_bidders": plan.min_bidders,
        "submissions_max": 20,
        "uncertified_allowed": True,
        "traces": False,
        "names_masked": False,
        "lots": [{"lot": 1, "name": "第一标段"}],
        "envelopes": _envelopes(plan, numbers),
        "sessions": [session],
        "trustees": [_trustee(keys, numbers, expiry_ms) for keys in world.trustees],
        "officers": _officers(world),
        "host_receipt_pk": receipt_pk.hex(),
        "log": {"origin": log_origin, "pk": log_pk.hex()},
        "witnesses": [],
        "quorum": 0,
        "closing_bound_ms": 60_000,
        "programs": [],
        "draws": [],
    }
    raw = encode_manifest(value, allow_test=True)
    manifest = parse_manifest(raw, allow_test=True)
    signatures = encode_manifest_signatures(
        manifest.tender_id,
        [("agency", world.agency_officer), ("supervisor", world.supervisor_officer)],
    )
    return raw, signatures


def _envelopes(plan: TenderPlan, numbers: list[int]) -> list[Json]:
    form, *bodies = envelopes_of(BUILDING, numbers, 2, 3)
    return [form, *({**body, "pt_len_max": plan.body_pt_len_max} for body in bodies)]


def _trustee(keys: TrusteeKeys, numbers: list[int], expiry_ms: int) -> Json:
    message = trustee_message(expiry_ms, keys.box.public, keys.sign.public, numbers)
    return {
        "role": keys.role,
        "code": keys.person.org,
        "organisation": keys.person.org_name,
        "name": keys.person.name,
        "envelopes": list(numbers),
        "expiry_ms": expiry_ms,
        "xpk": keys.box.public.hex(),
        "spk": keys.sign.public.hex(),
        "proof": keys.sign.sign(message).hex(),
        "ca": None,
    }


def _officers(world: World) -> list[Json]:
    return [
        {
            "role": "agency",
            "code": AGENCY[0],
            "name": "陈静",
            "pk": world.agency_officer.public.hex(),
        },
        {
            "role": "supervisor",
            "code": SUPERVISOR[0],
            "name": "周岩",
            "pk": world.supervisor_officer.public.hex(),
        },
        {"role": "host", "code": AGENCY[0], "name": "林悦", "pk": world.host_officer.public.hex()},
    ]
