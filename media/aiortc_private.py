"""Every use of a private name of aiortc and pylibsrtp (内部接口), in this one file.

aiortc's own peer connection decodes every track and opens a socket per peer; we want its DTLS and
its SRTP library and nothing else. What we need for that is private there. aiortc's minor version
is pinned, and ``tests/media/test_aiortc_private.py`` fails loudly when an upgrade moves a name.

Invariant: nothing outside of this file touches a name of theirs that begins with an underscore.

What is used, and why:

- ``RTCDtlsTransport._set_role("server")``: only as client does Chrome choose AES-GCM;
- ``._srtp_profiles``: AES-GCM first;
- ``._setup_srtp`` (overridden), ``._ssl``: the keys go to the engine, not to aiortc's sessions;
- ``transport._recv``, ``._send``, ``.role``: what it asks of its ICE transport, and gets from us;
- ``pylibsrtp._binding``: ``protect`` in place; the public call copies three times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiortc import RTCCertificate, RTCDtlsParameters, rtcdtlstransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsTransport
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib  # pyright: ignore

from media.engine import SrtpKeys

# The order in which we choose among what the client offers.
PROFILES: Final = (
    rtcdtlstransport.SRTP_AEAD_AES_128_GCM,
    rtcdtlstransport.SRTP_AEAD_AES_256_GCM,
    rtcdtlstransport.SRTP_AES128_CM_SHA1_80,
)
_BY_NAME: Final = {profile.openssl_profile.decode(): profile for profile in PROFILES}
BUFFER_BYTES: Final = 2048
REPLAY_WINDOW: Final = 1024
DTLS_QUEUE_MAX: Final = 32  # datagrams; a handshake needs less than ten
HANDSHAKE_S_MAX: Final = 30  # with the way of the SDP and ICE before it


class PacketBuffer:
    """Memory that SRTP works on in place. ``view`` is all of it, writable."""

    __slots__ = ("_cdata", "_length", "view")

    def __init__(self) -> None:
        self._cdata: Any = ffi.new("char[]", BUFFER_BYTES)
        self._length: Any = ffi.new("int *")
        self.view = memoryview(ffi.buffer(self._cdata))


class SrtpSession:
    """One direction of one peer. Every call returns the new size, or 0 where it was refused."""

    __slots__ = ("_context", "_session")

    def __init__(self, profile: str, key: bytes, *, inbound: bool) -> None:
        known = _BY_NAME[profile]
        kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
        policy = Policy(key=key, ssrc_type=kind, srtp_profile=known.libsrtp_profile)
        policy.window_size = REPLAY_WINDOW
        # The very same packet may be sent again (media/forwarding.py); another never.
        policy.allow_repeat_tx = True
        self._session = Session(policy)
        self._context: Any = self._session._srtp[0]

    def protect(self, buffer: PacketBuffer, size: int) -> int:
        length = buffer._length
        length[0] = size
        return 0 if lib.srtp_protect(self._context, buffer._cdata, length) else length[0]

    def protect_rtcp(self, buffer: PacketBuffer, size: int) -> int:
        length = buffer._length
        length[0] = size
        return 0 if lib.srtp_protect_rtcp(self._context, buffer._cdata, length) else length[0]

    def unprotect(self, buffer: PacketBuffer, size: int) -> int:
        length = buffer._length
        length[0] = size
        return 0 if lib.srtp_unprotect(self._context, buffer._cdata, length) else length[0]

    def unprotect_rtcp(self, buffer: PacketBuffer, size: int) -> int:
        length = buffer._length
        length[0] = size
        return 0 if lib.srtp_unprotect_rtcp(self._context, buffer._cdata, length) else length[0]


class Certificate:
    """The site's one DTLS certificate, made at start; clients learn its fingerprint by SDP."""

    def __init__(self) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        (self.fingerprint,) = [
            found.value
            for found in self.certificate.getFingerprints()
            if found.algorithm == "sha-256"
        ]


class _Datagrams:
    """Stands where aiortc expects its ICE transport."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_datagram = send
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(DTLS_QUEUE_MAX)

    async def _recv(self) -> bytes:
        data = await self._waiting.get()
        if not data:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._send_datagram(data)

    def put(self, data: bytes) -> None:
        """A datagram from the peer; empty: there will be no more. Too many are dropped."""
        if not self._waiting.full():
            self._waiting.put_nowait(data)


class _KeyExport(RTCDtlsTransport):
    """Hands the keys out instead of keeping them."""

    keys: SrtpKeys | None = None

    def _setup_srtp(self) -> None:
        assert self._ssl is not None
        name = self._ssl.get_selected_srtp_profile()
        profile = _BY_NAME.get(name.decode()) if name else None
        if profile is None:
            self._set_state(rtcdtlstransport.State.FAILED)
            return
        size = 2 * (profile.key_length + profile.salt_length)
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", size)
        receive, send = (profile.get_key_and_salt(material, side) for side in (0, 1))
        self.keys = SrtpKeys(name.decode(), receive, send)


class DtlsServer:
    """One peer's handshake, as server, and its close.

    Feed its datagrams with `received`. `handshake` returns the keys, or None where it failed or
    took longer than `HANDSHAKE_S_MAX`; ``on_closed`` is called when the peer says goodbye later.
    """

    def __init__(
        self, certificate: Certificate, send: Callable[[bytes], None], on_closed: Callable[[], None]
    ) -> None:
        self._datagrams = _Datagrams(send)
        transport: Any = self._datagrams
        self._dtls = _KeyExport(transport, [certificate.certificate])
        self._dtls._set_role("server")
        self._dtls._srtp_profiles = list(PROFILES)
        self._on_closed = on_closed
        self._closing = False

    def received(self, datagram: bytes) -> None:
        self._datagrams.put(datagram)

    async def handshake(self, fingerprints: tuple[tuple[str, str], ...]) -> SrtpKeys | None:
        """``fingerprints``: (algorithm, value) of the peer's certificate, from its SDP."""
        wanted = RTCDtlsParameters(
            fingerprints=[RTCDtlsFingerprint(name, value) for name, value in fingerprints]
        )
        try:
            async with asyncio.timeout(HANDSHAKE_S_MAX):
                await self._dtls.start(wanted)
        except TimeoutError:
            return None
        if self._dtls.state != "connected":
            return None
        self._dtls.on("statechange", self._changed)
        return self._dtls.keys

    def _changed(self) -> None:
        if self._dtls.state == "closed" and not self._closing:
            self._on_closed()

    async def close(self) -> None:
        """Say goodbye, and end its task."""
        self._closing = True
        task = self._dtls._task
        await self._dtls.stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
