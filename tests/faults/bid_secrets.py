"""What must not be seen of a bid, as the bidder's own device knows it (秘密)."""

from dataclasses import dataclass, field

from crypto.hashes import sha256
from crypto.sealing import Sealed, content_key, unseal_seed
from crypto.shares import open_share
from server.demo.world import World
from tests.faults.steady_people import SteadyBidder

Secrets = dict[str, bytes | str]
MARKER = "施工组织设计-机密"  # stands in the technical document


@dataclass
class KnownBidder(SteadyBidder):
    """A bidder that keeps all it knows, for the test alone."""

    price: str = ""
    sealed: list[Sealed] = field(default_factory=list)

    async def deliver_all(self, price: str) -> None:
        self.price = price
        await self.deliver(price, f"{MARKER} {self.person.person} ".encode() * 40)

    async def send(self, sealed: list[Sealed]) -> None:
        self.sealed = sealed
        await super().send(sealed)

    # ---- before the deadline nobody else may know this

    def identity(self) -> Secrets:
        sign, box = self.keys()
        known: Secrets = {
            "org": self.person.org,
            "org_name": self.person.org_name,
            "org_sha256": sha256(self.person.org.encode()),
            "bidder_pk": sign.public,
            "bidder_xpk": box.public,
        }
        for one in self.sealed:
            number = one.header.envelope
            known[f"bid_id {number}"] = one.header.bid_id
            known[f"bid_nonce {number}"] = one.header.bid_nonce
            known[f"c_B {number}"] = one.header.c_B
            known[f"ct_root {number}"] = one.header.ct_root
            known[f"payload {number}"] = one.payload[:24]
        if self.sealed:
            known["SUBMIT"] = self.submit_raw
            known["SUBMIT's hash"] = sha256(self.submit_raw)
        return {f"{self.person.person}: {name}": secret for name, secret in known.items()}

    # ---- before the end of the window nobody but the server may know this

    def bidder_halves(self) -> Secrets:
        return self._each("s_B", {s.header.envelope: s.bidder_half for s in self.sealed})

    # ---- before the release nobody at all but the bidder

    def contents(self, world: World) -> Secrets:
        """Price, document, seeds, host halves, shares, keys."""
        known: Secrets = {"price": self.price}
        _, box = self.keys()
        for one in self.sealed:
            header = one.header
            key = content_key(header, one.bidder_half, one.host_half)
            assert key is not None
            known[f"s_H {header.envelope}"] = one.host_half
            known[f"K {header.envelope}"] = key.K
            known[f"r_P {header.envelope}"] = key.r_P
            known[f"seed {header.envelope}"] = unseal_seed(header, box)
            for i, keys in enumerate(world.trustees, 1):
                _, share = open_share(header, i, keys.box)
                known[f"share {header.envelope} {i}"] = share
        known["document"] = f"{MARKER} {self.person.person}"
        return {f"{self.person.person}: {name}": secret for name, secret in known.items()}

    def of_bodies(self, secrets: Secrets) -> Secrets:
        """Those of the technical envelope, which is not read out."""
        return {n: s for n, s in secrets.items() if n.split()[2:3] == ["2"] or "document" in n}

    def _each(self, name: str, values: dict[int, bytes]) -> Secrets:
        return {f"{self.person.person}: {name} {n}": value for n, value in values.items()}
