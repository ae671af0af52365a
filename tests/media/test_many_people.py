"""Three venues of three publishers, and twenty viewers of everything: one socket, nothing lost."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack

import pytest

from media.grants import Grants, Label
from media.rooms import PeerConnected, TrackOpened
from media.sfu import Sfu
from tests.media.sfu_lab import PATIENCE_S, ROOM, Hall, running
from tests.media.thin_peer import ThinPeer, Venue

VENUES, PUBLISHERS, VIEWERS = 3, 3, 20
TURNS = 60  # of 20 ms of media each
TURN_S = 0.05  # slower than life: one process plays everybody
SEAT = Grants(publish=frozenset(Label), watch=True)


async def seat(hall: Hall, name: str) -> ThinPeer:
    """One publisher of a camera and a microphone, connected."""
    peer = ThinPeer(name)
    hall.sfu.admit(ROOM, name, SEAT)
    labels = {"0": Label.CAMERA, "1": Label.MICROPHONE}
    await peer.connect(await hall.sfu.publish(ROOM, name, peer.offer(), labels))
    return peer


async def viewer(hall: Hall, name: str, *, is_careful: bool) -> ThinPeer:
    """A viewer of everything there is, connected."""
    peer = ThinPeer(name, is_careful=is_careful)
    hall.sfu.admit(ROOM, name, Grants(watch=True))
    wanted = {event.track: 720 for event in hall.told(TrackOpened)}
    offered = await hall.sfu.watch(ROOM, name, wanted)
    assert offered is not None
    hall.sfu.answer(ROOM, name, peer.answer(offered))
    await peer.connect(offered)
    return peer


async def arrived(sfu: Sfu, packets: int) -> None:
    """So many have been forwarded, or nothing comes any more."""
    before = -1
    while before < sfu.counters().forwarded < packets:
        before = sfu.counters().forwarded
        await asyncio.sleep(1)


async def speak(venues: list[Venue]) -> int:
    """Everybody at once; how many packets that were."""
    sent, began = 0, time.monotonic()
    for turn in range(TURNS):
        for venue in venues:
            sent += venue.turn(turn)
        await asyncio.sleep(max(0, began + (turn + 1) * TURN_S - time.monotonic()))
    return sent


@pytest.mark.slow
async def test_everybody_gets_everything() -> None:
    async with running() as hall, AsyncExitStack() as people:

        async def come(arriving: Coroutine[None, None, ThinPeer]) -> ThinPeer:
            peer = await arriving
            people.push_async_callback(peer.close)
            return peer

        seats = [
            await come(seat(hall, f"venue{venue}seat{number}"))
            for venue in range(VENUES)
            for number in range(PUBLISHERS)
        ]
        viewers = [
            await come(viewer(hall, f"viewer{number}", is_careful=number % 10 == 0))
            for number in range(VIEWERS)
        ]
        async with asyncio.timeout(PATIENCE_S):
            while len(hall.told(PeerConnected)) < len(seats) + len(viewers):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        sent = await speak([Venue(peer, number) for number, peer in enumerate(seats)])
        await arrived(hall.sfu, sent * VIEWERS)
        counters = hall.sfu.counters()
        assert (counters.received, counters.unrouted, counters.refused) == (sent, 0, 0)
        assert counters.forwarded == sent * VIEWERS
        for careful in (peer for peer in viewers if peer.is_careful):
            assert careful.unreadable == 0
            assert len(careful.seqs) == 2 * len(seats)
            for seqs in careful.seqs.values():
                # One process plays everybody: its sockets may overflow, the order is ours.
                assert seqs == sorted(seqs)
        everything = sum(sum(peer.got.values()) for peer in viewers)
        assert everything >= 0.95 * sent * VIEWERS
