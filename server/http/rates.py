"""How often somebody may ask (限速): token buckets with a bounded number of names, and addresses.

Invariant: the number of buckets is bounded; a name that falls out of the table was the one that
stayed away longest, and starts again with a full bucket.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from typing import Final

from server.domain.refusals import Refused
from server.http.settings import Rate

MS_PER_MINUTE: Final = 60_000
UNKNOWN_ADDRESS: Final = "-"


class Buckets:
    """One bucket for each name. Levels are integers in ``MS_PER_MINUTE``-ths of a token."""

    def __init__(
        self, rate: Rate, names_max: int, now_ms: Callable[[], int], code: str = "auth.too_many"
    ) -> None:
        self._rate = rate
        self._names_max = names_max
        self._now_ms = now_ms
        self._code = code
        self._levels: OrderedDict[str, tuple[int, int]] = OrderedDict()  # name -> (level, at_ms)

    def take(self, name: str) -> None:
        """Takes one token; raises the table's code where there is none."""
        now, full = self._now_ms(), self._rate.burst * MS_PER_MINUTE
        level, at_ms = self._levels.get(name, (full, now))
        level = min(full, level + max(0, now - at_ms) * self._rate.per_minute)
        enough = level >= MS_PER_MINUTE
        self._levels[name] = (level - MS_PER_MINUTE if enough else level, now)
        self._levels.move_to_end(name)
        while len(self._levels) > self._names_max:
            self._levels.popitem(last=False)
        if not enough:
            raise Refused(self._code)


class Slots:
    """How many of something run at once, for each name and for all."""

    def __init__(self, each_max: int, all_max: int, code: str) -> None:
        self._each_max = each_max
        self._all_max = all_max
        self._code = code
        self._running: dict[str, int] = {}
        self._all = 0

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """One of them, for as long as the block runs; raises the code where there is no room."""
        if self._all >= self._all_max or self._running.get(name, 0) >= self._each_max:
            raise Refused(self._code)
        self._running[name] = self._running.get(name, 0) + 1
        self._all += 1
        try:
            yield
        finally:
            self._leave(name)

    def _leave(self, name: str) -> None:
        left = self._running[name] - 1
        self._all -= 1
        if left:
            self._running[name] = left
        else:
            del self._running[name]


class Budget:
    """So many bytes of our memory, and no more, for something that must be held whole."""

    def __init__(self, size_max: int, code: str) -> None:
        self._left = size_max
        self._code = code

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """``size`` bytes, for as long as the block runs; raises the code where there is no room."""
        if size > self._left:
            raise Refused(self._code)
        self._left -= size
        try:
            yield
        finally:
            self._left += size


def client_address(peer: str | None, forwarded: str, proxies: frozenset[str]) -> str:
    """By what name a client is counted: its IPv4 address or IPv6 /64.

    ``forwarded`` is X-Forwarded-For; only its last hop is looked at, and only where the peer is a
    proxy of ours (ASVS 4.1.3): every other hop is what the client chose to write.
    """
    named = peer or UNKNOWN_ADDRESS
    if named in proxies and forwarded:
        named = forwarded.rsplit(",", 1)[-1].strip()
    try:
        address = ip_address(named)
    except ValueError:
        return UNKNOWN_ADDRESS
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        # One household or one attacker has a whole /64.
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
