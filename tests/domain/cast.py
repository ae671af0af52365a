"""The cast of the tests of the rules: officers, trustees, bidders, with keys from their names."""

from dataclasses import dataclass
from functools import cached_property

from crypto.hashes import sha256
from crypto.keys import BoxKey, SigningKey
from server.domain.model import SYSTEM, Actor, Role

AGENCY = ("91360800MA00000011", "江州建招代理有限公司")
PURCHASER = ("91360800MA00000022", "江州市城市建设发展有限公司")
SUPERVISOR = ("11360800000000033X", "江州市住房和城乡建设局")
TRUSTEE_ORGS = (AGENCY, PURCHASER, SUPERVISOR)


def signing(name: str) -> SigningKey:
    return SigningKey(sha256(b"sign", name.encode()))


def box(name: str) -> BoxKey:
    return BoxKey(sha256(b"box", name.encode()))


AGENCY_KEY, SUPERVISOR_KEY, HOST_KEY = signing("agency"), signing("supervisor"), signing("host")
RECEIPT_KEY, LOG_KEY = signing("receipt"), signing("log")

HOST = Actor("host", Role.HOST, AGENCY[0], "林悦")
SUPERVISOR_PERSON = Actor("supervisor", Role.SUPERVISOR, SUPERVISOR[0], "周岩")
PURCHASER_PERSON = Actor("purchaser", Role.PURCHASER, PURCHASER[0], "王芳")
WITNESS = Actor("witness", Role.WITNESS, "12360800000000044A", "吴静")
VIEWER = Actor("public", Role.VIEWER)
EXPERTS = tuple(
    Actor(f"expert-{n}", Role.EXPERT, "12360000000000055E", f"评标专家{n}") for n in range(1, 8)
)


@dataclass(frozen=True)
class Trustee:
    """The trustee at one place (from 1) of the manifest's list."""

    place: int

    @cached_property
    def box(self) -> BoxKey:
        return box(f"trustee {self.place}")

    @cached_property
    def sign(self) -> SigningKey:
        return signing(f"trustee {self.place}")

    @property
    def actor(self) -> Actor:
        return Actor(f"trustee-{self.place}", Role.TRUSTEE, TRUSTEE_ORGS[self.place - 1][0])


@dataclass(frozen=True)
class Bidder:
    """A bidder with fresh keys for the one tender that it bids in."""

    number: int

    @cached_property
    def key(self) -> SigningKey:
        return signing(f"bidder {self.number}")

    @cached_property
    def box(self) -> BoxKey:
        return box(f"bidder {self.number}")

    @property
    def org(self) -> str:
        return f"91360800MB{self.number:08d}"

    @property
    def name(self) -> str:
        return f"投标单位{self.number}"

    @property
    def actor(self) -> Actor:
        return Actor(f"bidder-{self.number}", Role.BIDDER, self.org, self.name)

    def price(self, lot: int = 1, version: int = 1) -> str:
        return f"71{self.number:02d}{lot:02d}{version:02d}.{self.number:02d}"


TRUSTEES = (Trustee(1), Trustee(2), Trustee(3))
ACTORS = {
    Role.HOST: HOST,
    Role.SUPERVISOR: SUPERVISOR_PERSON,
    Role.PURCHASER: PURCHASER_PERSON,
    Role.TRUSTEE: TRUSTEES[0].actor,
    Role.WITNESS: WITNESS,
    Role.BIDDER: Bidder(1).actor,
    Role.EXPERT: EXPERTS[0],
    Role.VIEWER: VIEWER,
    Role.SYSTEM: SYSTEM,
}
# As the registry knows them, by id.
PEOPLE = {
    actor.person: actor
    for actor in (*ACTORS.values(), *EXPERTS, *(Bidder(n).actor for n in range(1, 9)))
    if actor.role not in (Role.VIEWER, Role.SYSTEM)
}
