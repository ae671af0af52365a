"""Another network in the middle of a call: ICE begins anew, keys and streams go on.

The relay stands for the path: one that dies, and another that comes in its place.
"""

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import BrowserContext, Page

from media.errors import MediaRefused
from media.grants import Label
from media.rooms import PeerConnected, PeerLost, TrackClosed, TrackOpened
from tests.media.lossy_relay import LossyRelay
from tests.media.sfu_lab import HOST, ROOM, VIEWER, Hall, running
from tests.media.test_sfu_in_browser import a_page, browser, decoded, publish, until, watch
from tests.media.thin_peer import ThinPeer, Venue

__all__ = ["browser"]
REJOIN_S = 3
RESTART = "(name) => { connections[name].restartIce(); return offered(connections[name]); }"


class Restarting(ThinPeer):
    """A thin peer that can go to another network, with other credentials and the same keys."""

    async def move(self, ufrag: str, theirs: str) -> None:
        assert self._asking is not None
        self._asking.cancel()
        self._wire.close()
        self.name = ufrag
        said = dict(
            line[2:].strip().split(":", 1) for line in theirs.splitlines() if line.startswith("a=")
            and ":" in line
        )  # fmt: skip
        self._username = f"{said['ice-ufrag']}:{ufrag}"
        self._password = said["ice-pwd"].encode()
        _, _, _, _, address, port, *_ = said["candidate"].split()
        loop = asyncio.get_running_loop()
        self._answered.clear()
        self._wire, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=(address, int(port))
        )
        self._asking = asyncio.ensure_future(self._ask())
        await self._answered.wait()


async def test_both_ends_of_a_stream_restart_and_the_stream_goes_on() -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        host, viewer = Restarting("host"), Restarting("viewer", is_careful=True)
        labels = {"0": Label.CAMERA, "1": Label.MICROPHONE}
        await host.connect(await hall.sfu.publish(ROOM, "host", host.offer(), labels))
        tracks = {event.label: event.track for event in hall.told(TrackOpened)}
        wanted = {tracks[Label.CAMERA]: 720}
        offer = await hall.sfu.watch(ROOM, "viewer", wanted)
        assert offer is not None
        hall.sfu.answer(ROOM, "viewer", viewer.answer(offer))
        await viewer.connect(offer)
        venue, turns = Venue(host, 1), iter(range(10_000))

        async def until_got(more: int) -> None:
            before = viewer.got.total()
            async with asyncio.timeout(REJOIN_S):
                while viewer.got.total() < before + more:
                    venue.turn(next(turns))
                    await asyncio.sleep(0.01)

        await until_got(20)
        host.name = "hostTwo"
        await host.move("hostTwo", await hall.sfu.publish(ROOM, "host", host.offer(), labels))
        await until_got(20)
        offer = await hall.sfu.watch(ROOM, "viewer", wanted, restart=True)
        assert offer is not None
        viewer.name = "viewerTwo"
        hall.sfu.answer(ROOM, "viewer", viewer.answer(offer))
        await viewer.move("viewerTwo", offer)
        await until_got(20)
        # A camera at a WHIP endpoint restarts without an offer.
        end = hall.sfu.restart(ROOM, "host", "hostThree")
        fragment = f"a=ice-ufrag:{end.ufrag}\r\na=ice-pwd:{end.password}\r\n"
        fragment += "a=candidate:1 1 udp 1 {} {} typ host\r\n".format(*end.candidates[0])
        await host.move("hostThree", fragment)
        await until_got(20)

        assert len(hall.told(PeerConnected)) == 2, "no keys were made anew"
        assert hall.told(PeerLost) == hall.told(TrackClosed) == []
        (seqs,) = viewer.seqs.values()
        assert viewer.unreadable == 0
        assert len(set(seqs)) == len(seqs)
        await host.close()
        await viewer.close()


async def test_who_publishes_nothing_has_nothing_to_restart() -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        with pytest.raises(MediaRefused, match=r"media\.state"):
            hall.sfu.restart(ROOM, "host", "abcd")


async def another_path(hall: Hall, gone: LossyRelay | None) -> LossyRelay:
    """What clients are told from now on; ``gone`` loses everything."""
    if gone is not None:
        gone.up.loss = gone.down.loss = 1
    made = LossyRelay((hall.sfu.options.public_addresses[0], hall.sfu._port.port))
    await made.open()
    hall.sfu.options = replace(hall.sfu.options, public_port=made.port)
    return made


@pytest.mark.alone
@pytest.mark.browser
async def test_chromium_restarts_over_another_path_within_three_seconds(
    browser: BrowserContext,
) -> None:
    async with running() as hall:
        host, viewer = await a_page(browser), await a_page(browser)
        relays = [await another_path(hall, None)]
        small = {"width": 320, "height": 180, "simulcast": False}
        tracks = await publish(hall, host, **small)
        await watch(hall, viewer, {tracks[Label.CAMERA]: 180})
        await until(viewer, "viewer", lambda stats: decoded(stats) > 10)
        relays.append(await another_path(hall, relays[0]))
        kinds = {"video": Label.CAMERA, "audio": Label.MICROPHONE}
        loop = asyncio.get_running_loop()
        lost_at = loop.time()

        offered = await host.evaluate(RESTART, "host")
        labels = {mid: kinds[kind] for mid, kind in offered["mids"]}
        answer = await hall.sfu.publish(ROOM, "host", offered["sdp"], labels)
        await host.evaluate("(sdp) => answered('host', sdp)", answer)
        offer = await hall.sfu.watch(ROOM, "viewer", {tracks[Label.CAMERA]: 180}, restart=True)
        hall.sfu.answer(ROOM, "viewer", await viewer.evaluate("(s) => watch('viewer', s)", offer))
        before = await shown(viewer)
        await until(viewer, "viewer", lambda stats: decoded(stats) > before + 10)
        assert loop.time() - lost_at < REJOIN_S
        assert relays[1].up.passed > 0
        assert relays[1].down.passed > 0
        assert len(hall.told(PeerConnected)) == 2, "no keys were made anew"
        assert hall.told(PeerLost) == hall.told(TrackClosed) == []
        for relay in relays:
            relay.close()


async def shown(page: Page) -> int:
    return decoded(await page.evaluate("() => stats('viewer')"))
