"""One transport of one participant (连接): from its SDP to its keys, and to its end.

A participant has at most two: one to publish, one to watch. New addresses of the same peer (another
network) only need its signature; an ICE restart renews what is signed with, under the same keys; a
new connection replaces the old one (media/sfu.py).

Invariant: the engine gets keys only of a peer whose certificate is the one its SDP announced, and
addresses only that have signed with the password of this transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

from crypto.keys import random_bytes
from media.aiortc_private import Certificate, DtlsServer
from media.engine import Address, Engine
from media.ice import Binding, IceTable
from media.sdp import Description, LocalEnd
from media.udp_port import UdpPort, now_us

UFRAG_BYTES: Final = 6
PASSWORD_BYTES: Final = 16
QUIET_US: Final = 4_000_000  # browsers ask for consent every 2.5 s or so


class Way(StrEnum):
    """What a transport is for."""

    PUBLISH = "publish"
    WATCH = "watch"


class Peer:
    """``number`` is its id in the engine. ``on_connected`` is called once; ``on_lost`` at most
    once, and not after `close`.
    """

    def __init__(
        self,
        number: int,
        way: Way,
        certificate: Certificate,
        port: UdpPort,
        table: IceTable,
        engine: Engine,
    ) -> None:
        self.number = number
        self.way = way
        self.ufrag, self.password = _credentials()
        self.session = int.from_bytes(random_bytes(7), "big")
        self.version = 0
        self.remote: Description | None = None
        self.profile = ""
        self.on_connected: Callable[[], None] = lambda: None
        self.on_lost: Callable[[str], None] = lambda why: None
        self._certificate = certificate
        self._port = port
        self._table = table
        self._engine = engine
        self._address: Address | None = None
        self._nominated = False
        self._heard_us = 0
        self._closed = False
        self._dtls = DtlsServer(certificate, self._send, lambda: self._lost("closed"))
        self._handshake: asyncio.Task[None] | None = None
        table.add(number, self.ufrag, self.password, now_us())

    @property
    def is_connected(self) -> bool:
        return bool(self.profile) and not self._closed

    def local_end(self, candidates: tuple[tuple[str, int], ...]) -> LocalEnd:
        """For the next description that we write."""
        self.version += 1
        return LocalEnd(
            self.ufrag,
            self.password,
            self._certificate.fingerprint,
            candidates,
            self.session,
            self.version,
        )

    def is_same(self, remote: Description) -> bool:
        """Whether a later description is of the same connection, not of a new one: it has the same
        certificate, and is of the same session where ICE was restarted.
        """
        known = self.remote
        if known is None:
            return True
        if known.fingerprints != remote.fingerprints:
            return False
        return known.ufrag == remote.ufrag or known.origin == remote.origin

    def is_restarted_by(self, remote: Description) -> bool:
        """Whether the other end has restarted ICE, and we have to (RFC 8839 §4.4.1)."""
        return self.remote is not None and self.remote.ufrag != remote.ufrag

    def renew(self) -> None:
        """Restart ICE: the next description that we write has other credentials."""
        self.ufrag, self.password = _credentials()
        self._table.renew(self.number, self.ufrag, self.password)

    def meet(self, remote: Description) -> None:
        """The other end's description; the first one starts the handshake."""
        assert self.is_same(remote)
        first, self.remote = self.remote is None, remote
        self._table.expect(self.number, remote.ufrag)
        if first:
            self._handshake = asyncio.ensure_future(self._shake_hands(remote))

    def bound(self, binding: Binding, address: Address) -> None:
        """A signed request came from ``address``: send there, if nothing better is known.

        A request that does not nominate its address counts where none was nominated, or where the
        one in use has fallen silent: behind a NAT that has forgotten it, nobody nominates anew.
        """
        at_us = now_us()
        if address != self._address:
            quiet = at_us - self._heard_us > QUIET_US
            if not (binding.nominated or quiet or not self._nominated):
                return
            self._address = address
            if self.profile:
                self._engine.place_peer(self.number, address)
        self._nominated |= binding.nominated
        self._heard_us = at_us

    def received_dtls(self, datagram: bytes) -> None:
        if self.remote is not None:
            self._dtls.received(datagram)

    def _send(self, data: bytes) -> None:
        if self._address is not None:
            self._port.send(data, self._address)

    async def _shake_hands(self, remote: Description) -> None:
        keys = await self._dtls.handshake(remote.fingerprints)
        if self._closed:
            return
        if keys is None or self._address is None:
            self._lost("handshake")
            return
        self.profile = keys.profile
        self._engine.add_peer(self.number, keys)
        self._engine.place_peer(self.number, self._address)
        self.on_connected()

    def _lost(self, why: str) -> None:
        if not self._closed:
            self.on_lost(why)

    async def close(self) -> None:
        """Forget it everywhere at once, then say goodbye."""
        if self._closed:
            return
        self._closed = True
        self._table.remove(self.number)
        self._engine.close_peer(self.number)
        if self._handshake is not None and self._handshake is not asyncio.current_task():
            self._handshake.cancel()
            await asyncio.gather(self._handshake, return_exceptions=True)
        await self._dtls.close()


def _credentials() -> tuple[str, str]:
    return random_bytes(UFRAG_BYTES).hex(), random_bytes(PASSWORD_BYTES).hex()


class Feed:
    """Stands in a peer's place where packets come from our own process: no address, no keys.

    Hand plain RTP and RTCP in with `send`; `end` ends its tracks, and is idempotent.
    """

    profile = "in process"

    def __init__(self, number: int, engine: Engine) -> None:
        self.number = number
        self.is_connected = True
        self.on_end: Callable[[], None] = lambda: None
        self._engine = engine
        engine.add_peer(number, None)

    def send(self, packets: Iterable[bytes], at_us: int) -> None:
        """``at_us``: when they arrived. After the end nothing happens."""
        self._engine.receive([(self.number, packet, at_us) for packet in packets])

    def end(self) -> None:
        """The unit closes it, and tells it as of any connection."""
        self.on_end()

    def close(self) -> None:
        """Called by the unit."""
        self.is_connected = False
        self._engine.close_peer(self.number)
