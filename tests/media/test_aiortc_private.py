"""The private names of aiortc and pylibsrtp that we stand on: an upgrade that moves one fails here.

The handshake runs against aiortc's own transport as client, that is code we have not changed.
"""

import ast
import asyncio
import importlib.metadata
import inspect
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCDtlsParameters, rtcdtlstransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsTransport
from hypothesis import given, settings
from hypothesis import strategies as st

from media.aiortc_private import (
    Certificate,
    DtlsServer,
    PacketBuffer,
    SrtpSession,
    _Datagrams,
)
from media.engine import SrtpKeys
from media.packets import build_rtp
from tests.tree import ROOT

PRIVATE_FILE = Path("media/aiortc_private.py")
GCM = "SRTP_AEAD_AES_128_GCM"
CERTIFICATE = Certificate()


def test_the_minor_version_is_the_one_that_was_read() -> None:
    assert importlib.metadata.version("aiortc").startswith("1.16.")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("_set_role", ["self", "role"]),
        ("_set_state", ["self", "state"]),
        ("_setup_srtp", ["self"]),
        ("start", ["self", "remoteParameters"]),
        ("stop", ["self"]),
    ],
)
def test_a_method_we_call_or_override_has_its_arguments(name: str, arguments: list[str]) -> None:
    assert list(inspect.signature(getattr(RTCDtlsTransport, name)).parameters) == arguments


def test_the_transport_is_asked_for_nothing_but_what_we_stand_in_for() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    asked = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in ("transport", "_transport")
    }
    assert asked == {"role", "_recv", "_send"}
    assert all(hasattr(_Datagrams, name) for name in asked)


def test_no_other_file_touches_a_private_name_of_theirs() -> None:
    for path in (ROOT / "media").rglob("*.py"):
        if path.relative_to(ROOT) == PRIVATE_FILE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                theirs = node.module.split(".")[0] in ("aiortc", "aioice", "pylibsrtp")
                names = [*node.module.split("."), *(one.name for one in node.names)]
                assert not (theirs and any(name.startswith("_") for name in names)), path


class Wire:
    """Two transports, back to back."""

    def __init__(self) -> None:
        self.certificate, client = Certificate(), Certificate()
        self.closed = asyncio.Event()
        self.to_server = 0
        self.end: Any = _Datagrams(self._to_server)
        self.client = RTCDtlsTransport(self.end, [client.certificate])
        self.client._set_role("client")
        self.server = DtlsServer(self.certificate, self.end.put, self.closed.set)
        self.fingerprints = (("sha-256", client.fingerprint),)

    def _to_server(self, data: bytes) -> None:
        self.to_server += 1
        self.server.received(data)

    async def shake(self) -> SrtpKeys | None:
        wanted = RTCDtlsParameters(
            [RTCDtlsFingerprint("sha-256", self.certificate.fingerprint)], "server"
        )
        keys, _ = await asyncio.gather(
            self.server.handshake(self.fingerprints), self.client.start(wanted)
        )
        return keys


OFFERED = {  # what a client offers, in its order, and what we choose of it
    "everything": (rtcdtlstransport.SRTP_PROFILES, GCM),
    "nothing new": ([rtcdtlstransport.SRTP_AES128_CM_SHA1_80], "SRTP_AES128_CM_SHA1_80"),
    "the long keys": ([rtcdtlstransport.SRTP_AEAD_AES_256_GCM], "SRTP_AEAD_AES_256_GCM"),
}


@pytest.mark.parametrize(("offered", "chosen"), OFFERED.values(), ids=list(OFFERED))
async def test_a_handshake_yields_keys_that_the_other_end_shares(
    offered: list[Any], chosen: str
) -> None:
    wire = Wire()
    wire.client._srtp_profiles = offered
    keys = await wire.shake()
    assert keys is not None
    assert keys.profile == chosen
    assert keys.receive.hex() not in repr(keys)

    buffer, plain = PacketBuffer(), build_rtp(102, 1, 2, 3, b"picture")
    sending = SrtpSession(keys.profile, keys.send, inbound=False)
    receiving = SrtpSession(keys.profile, keys.receive, inbound=True)
    buffer.view[: len(plain)] = plain
    size = sending.protect(buffer, len(plain))
    assert wire.client._rx_srtp.unprotect(bytes(buffer.view[:size])) == plain
    back = wire.client._tx_srtp.protect(plain)
    buffer.view[: len(back)] = back
    size = receiving.unprotect(buffer, len(back))
    assert bytes(buffer.view[:size]) == plain

    await wire.client.stop()
    async with asyncio.timeout(5):
        await wire.closed.wait()
    wire.end.put(b"")
    await wire.server.close()


async def test_another_certificate_than_the_one_announced_is_refused() -> None:
    wire = Wire()
    wire.fingerprints = (("sha-256", Certificate().fingerprint),)
    assert await wire.shake() is None
    wire.end.put(b"")
    await wire.server.close()
    await wire.client.stop()


async def test_more_datagrams_than_a_handshake_needs_are_dropped() -> None:
    server = DtlsServer(Certificate(), lambda data: None, lambda: None)
    for _ in range(10_000):
        server.received(b"\x16 a record of nothing")
    assert server._datagrams._waiting.qsize() < 100
    await server.close()


def test_a_packet_that_was_changed_or_comes_twice_is_refused() -> None:
    key = bytes(28)
    sending = SrtpSession(GCM, key, inbound=False)
    receiving = SrtpSession(GCM, key, inbound=True)
    buffer, plain = PacketBuffer(), build_rtp(102, 1, 2, 3, b"picture")
    buffer.view[: len(plain)] = plain
    sealed = bytes(buffer.view[: sending.protect(buffer, len(plain))])

    def opened(data: bytes) -> int:
        buffer.view[: len(data)] = data
        return receiving.unprotect(buffer, len(data))

    assert opened(sealed[:-1] + bytes([sealed[-1] ^ 1])) == 0
    assert opened(sealed) == len(plain)
    assert opened(sealed) == 0
    assert opened(b"\x80") == 0


RECORDS = st.builds(
    lambda kind, version, epoch, body: (
        bytes([kind]) + version + epoch.to_bytes(8, "big") + len(body).to_bytes(2, "big") + body
    ),
    st.integers(20, 63),
    st.sampled_from([b"\xfe\xff", b"\xfe\xfd", b"\xfe\xfc", b"\x03\x03"]),
    st.integers(0, 1 << 50),
    st.binary(max_size=80),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(RECORDS | st.binary(min_size=1, max_size=60), max_size=8))
def test_any_datagrams_end_a_handshake_or_leave_it_waiting(datagrams: list[bytes]) -> None:
    async def attack() -> None:
        answered: list[bytes] = []
        server = DtlsServer(CERTIFICATE, answered.append, lambda: None)
        handshake = asyncio.ensure_future(server.handshake((("sha-256", "AB"),)))
        for datagram in datagrams:
            server.received(datagram)
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert sum(map(len, answered)) <= 100 * (1 + len(datagrams))  # alerts, no certificate
        if handshake.done():
            assert handshake.result() is None
        handshake.cancel()
        await asyncio.gather(handshake, return_exceptions=True)
        await server.close()

    asyncio.run(attack())


@pytest.mark.parametrize("cut", [1, 13, 25, 60, 100])
async def test_a_hello_that_is_cut_short_yields_no_keys(cut: int) -> None:
    wire = Wire()
    whole = wire.server.received
    wire.server.received = lambda data: whole(data[:cut])  # type: ignore[method-assign]
    shaking = asyncio.ensure_future(wire.shake())
    for _ in range(50):
        await asyncio.sleep(0)
    assert not shaking.done() or shaking.result() is None
    shaking.cancel()
    await asyncio.gather(shaking, return_exceptions=True)
    await wire.server.close()
    await wire.client.stop()
