"""The broadcast of an opening, end to end over the routes: publish, watch, stage, restart."""

import asyncio
import signal
from pathlib import Path

import pytest

from server.domain.model import Actor
from tests.domain.cast import HOST, Bidder
from tests.live.live_lab import live_site, received

BIDDER: Actor = Bidder(1).actor
BACK_S = 3.0


async def test_a_bidder_sees_the_host_is_put_on_stage_and_is_seen(tmp_path: Path) -> None:
    async with live_site(tmp_path) as live:
        host, bidder = await live.guest(HOST), await live.guest(BIDDER)
        await asyncio.gather(host.come_in(), bidder.come_in())
        hosting = live.sending(await host.publish())
        track = (await bidder.told("track", member="host", label="camera"))["track"]
        assert track == hosting.tracks["0"]
        watching = await bidder.watch(*hosting.tracks.values())
        await received(watching, 50)
        await live.act(host, "put_on_stage", person=BIDDER.person, reason="异议")
        await bidder.told("floor", on_stage=[BIDDER.person])
        may = (await bidder.told("may"))["may"]
        assert may["publish"] == ["camera", "microphone"]
        speaking = live.sending(await bidder.publish())
        await host.told("track", member=BIDDER.person, label="camera")
        watching = await host.watch(*speaking.tracks.values())
        await received(watching, 50)
        await live.act(host, "take_off_stage", person=BIDDER.person)
        await host.told("track_gone", track=speaking.tracks["0"])


@pytest.mark.alone
async def test_a_killed_media_process_is_back_and_everybody_with_it_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.child.SPARE_AFTER_S", 0.0)
    async with live_site(tmp_path) as live:
        host, bidder = await live.guest(HOST), await live.guest(BIDDER)
        await asyncio.gather(host.come_in(), bidder.come_in())
        hosting = live.sending(await host.publish())
        await received(await bidder.watch(*hosting.tracks.values()), 50)
        await live.is_spared()
        loop = asyncio.get_running_loop()
        killed_s = loop.time()
        pid = live.kill_child(signal.SIGKILL)
        await asyncio.gather(host.told("restarted"), bidder.told("restarted"))
        assert live.child_pid != pid
        hosting = live.sending(await host.publish())
        await bidder.told("track", track=hosting.tracks["0"], after=len(bidder.lines) - 2)
        await received(await bidder.watch(*hosting.tracks.values()), 1)
        assert loop.time() - killed_s < BACK_S
