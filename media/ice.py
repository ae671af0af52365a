"""ICE-lite (RFC 8445 §2.5) for many peers on one port: who a datagram belongs to (按 ufrag 与地址).

A peer is found by the first half of a STUN request's user name; once a request of it was signed
with its password, its address is known, and whatever comes from there is its. No state is kept
for, and nothing is answered to, anybody who cannot sign.

Invariant: pure; bounded by the peers that were added. An address that a living peer holds is not
given to another, and a request that was seen from one address proves nothing from another.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from media.engine import Address
from media.stun import build_answer, parse_request

ADDRESSES_MAX: Final = 8  # of one peer; a machine with more networks uses the newest
TRANSACTIONS_MAX: Final = 256
CONSENT_US: Final = 30_000_000  # RFC 7675 §5.1
HOLD_US: Final = 15_000_000  # an address is held that long after a signed request from it


@dataclass(slots=True, eq=False)
class _Credentials:
    ufrag: str
    password: str
    their_ufrag: str = ""


@dataclass(slots=True, eq=False)
class _Agent:
    """``credentials``: those in use, and behind them new ones that nothing was signed with yet."""

    peer: int
    credentials: list[_Credentials]
    heard_us: int
    addresses: OrderedDict[Address, int] = field(default_factory=OrderedDict[Address, int])
    transactions: OrderedDict[bytes, Address] = field(default_factory=OrderedDict[bytes, Address])


@dataclass(frozen=True, slots=True)
class Binding:
    """A signed request: what to answer (None: nothing), and whether the peer chose this address."""

    peer: int
    answer: bytes | None
    nominated: bool


class IceTable:
    def __init__(self) -> None:
        self._by_ufrag: dict[str, tuple[_Agent, _Credentials]] = {}
        self._by_peer: dict[int, _Agent] = {}
        self._by_address: dict[Address, int] = {}

    def add(self, peer: int, ufrag: str, password: str, now_us: int) -> None:
        agent = _Agent(peer, [], now_us)
        self._by_peer[peer] = agent
        self._add(agent, _Credentials(ufrag, password))

    def _add(self, agent: _Agent, credentials: _Credentials) -> None:
        assert credentials.ufrag not in self._by_ufrag
        agent.credentials.append(credentials)
        self._by_ufrag[credentials.ufrag] = agent, credentials

    def renew(self, peer: int, ufrag: str, password: str) -> None:
        """Other credentials from now on (ICE restart, RFC 8445 §9). The ones in use stay good until
        a path is nominated with these.
        """
        if (agent := self._by_peer.get(peer)) is not None:
            self._keep(agent, agent.credentials[:1])
            self._add(agent, _Credentials(ufrag, password))

    def _keep(self, agent: _Agent, kept: list[_Credentials]) -> None:
        for credentials in agent.credentials:
            if credentials not in kept:
                del self._by_ufrag[credentials.ufrag]
        agent.credentials = kept

    def expect(self, peer: int, their_ufrag: str) -> None:
        """The other half of the newest user name, as soon as the peer's SDP is known."""
        if (agent := self._by_peer.get(peer)) is not None:
            agent.credentials[-1].their_ufrag = their_ufrag

    def remove(self, peer: int) -> None:
        agent = self._by_peer.pop(peer, None)
        if agent is not None:
            self._keep(agent, [])
            for address in agent.addresses:
                del self._by_address[address]

    def peer_at(self, address: Address) -> int | None:
        """Whose datagrams come from there."""
        return self._by_address.get(address)

    def silent(self, now_us: int) -> list[int]:
        """Peers that have not consented for too long (RFC 7675): nothing may be sent to them."""
        return [
            peer for peer, agent in self._by_peer.items() if now_us - agent.heard_us > CONSENT_US
        ]

    def request(self, datagram: bytes, address: Address, now_us: int) -> Binding | None:
        """What a datagram that looks like STUN comes to; None: nothing at all."""
        request = parse_request(datagram)
        if request is None:
            return None
        ours, theirs = request.username
        agent, credentials = self._by_ufrag.get(ours, (None, None))
        if agent is None or credentials is None or credentials.their_ufrag != theirs:
            return None
        if not request.is_signed_with(credentials.password):
            return None
        seen_at = agent.transactions.setdefault(request.transaction, address)
        if seen_at != address:
            return None  # somebody else's request, sent again
        if len(agent.transactions) > TRANSACTIONS_MAX:
            agent.transactions.popitem(last=False)
        if not self._take(agent, address, now_us):
            return None
        agent.heard_us = now_us
        if request.nominates and credentials is agent.credentials[-1]:
            self._keep(agent, [credentials])
        answer = build_answer(request, credentials.password, address)
        return Binding(agent.peer, answer, request.nominates)

    def _take(self, agent: _Agent, address: Address, now_us: int) -> bool:
        """Give the address to the agent, unless a living peer holds it."""
        holder = self._by_address.get(address)
        if holder is not None and holder != agent.peer:
            other = self._by_peer[holder]
            if now_us - other.addresses[address] < HOLD_US:
                return False
            del other.addresses[address]
        agent.addresses[address] = now_us
        agent.addresses.move_to_end(address)
        self._by_address[address] = agent.peer
        if len(agent.addresses) > ADDRESSES_MAX:
            oldest, _ = agent.addresses.popitem(last=False)
            del self._by_address[oldest]
        return True
