"""How many may come in, how fast, from where (接入限流). Pure.

Invariant: at most ``rate_per_s`` handshakes a second (after a first burst) are worked on; everybody
else is told when to come back, and those moments are spread so that about as many come back per
second as can be served. After a restart ten thousand browsers return within a second; this is what
keeps the loop's lag, and so everybody's clock, sound.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final

RETRY_S_MAX: Final = 60


class AcceptLimiter:
    """A token bucket whose refusals queue up virtually."""

    __slots__ = ("_burst", "_filled_ms", "_rate_per_s", "_tokens", "_turned_away")

    def __init__(self, rate_per_s: int, burst: int, now_ms: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._turned_away = 0.0
        self._filled_ms = now_ms

    def set_rate(self, rate_per_s: int) -> None:
        """Another share of what several processes let in together."""
        self._rate_per_s = self._burst = rate_per_s

    def admit(self, now_ms: int, jitter: float) -> int:
        """0: come in. Else seconds after which to try again; ``jitter`` is uniform in [0, 1)."""
        refill = (now_ms - self._filled_ms) * self._rate_per_s / 1000
        self._filled_ms = now_ms
        self._tokens = min(float(self._burst), self._tokens + refill)
        self._turned_away = max(0.0, self._turned_away - refill)
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        self._turned_away += 1
        # Whoever was turned away before needs this long: come after them.
        return min(RETRY_S_MAX, 1 + int(self._turned_away / self._rate_per_s + jitter))


class AddressCounter:
    """Connections per address; an IPv6 neighbour is its /64.

    ``elsewhere``: how many of an address other processes have let in.
    """

    __slots__ = ("_counts", "_per_address_max", "elsewhere")

    def __init__(self, per_address_max: int) -> None:
        self._counts: dict[str, int] = {}
        self._per_address_max = per_address_max
        self.elsewhere: Callable[[str], int] = lambda key: 0

    def enter(self, address: str) -> str | None:
        """The key to give back to ``leave``; None: too many from there."""
        key = address_key(address)
        count = self._counts.get(key, 0)
        if count + self.elsewhere(key) >= self._per_address_max:
            return None
        self._counts[key] = count + 1
        return key

    def leave(self, key: str) -> None:
        if self._counts[key] == 1:
            del self._counts[key]
        else:
            self._counts[key] -= 1

    def crowded(self, least: int) -> dict[str, int]:
        """Addresses with at least so many connections here."""
        return {key: count for key, count in self._counts.items() if count >= least}


@lru_cache(maxsize=1024)
def address_key(address: str) -> str:
    """What one household or office shares. Remembered: in a reconnect storm the parsing was an
    eighth of a handshake.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed)


def client_address(peer: str, forwarded_for: str | None, trusted: frozenset[str]) -> str:
    """The client's address: the peer, or what our own proxy says about it.

    Only a trusted proxy is believed, and only the last hop that is not ours: everything to its
    left was written by the client.
    """
    if peer not in trusted or not forwarded_for:
        return peer
    for hop in reversed(forwarded_for.split(",")):
        hop = hop.strip()
        if hop not in trusted:
            return hop
    return peer
