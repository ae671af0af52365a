"""Bad networks: what is lost is asked for again at both ends, and the layer follows the path."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from media.layers import LayerChoice
from media.rooms import PeerConnected, TrackOpened
from tests.media.lossy_relay import LossyRelay, Weather
from tests.media.sfu_lab import HOST, ROOM, VIEWER, Hall, Viewer, on_loopback, publish, running

pytestmark = pytest.mark.usefixtures(on_loopback.__name__)
__all__ = ["on_loopback"]


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with running() as made:
        made.sfu.admit(ROOM, "host", HOST)
        made.sfu.admit(ROOM, "viewer", VIEWER)
        yield made


@pytest.fixture
async def relay(hall: Hall) -> AsyncIterator[LossyRelay]:
    made = LossyRelay(hall.sfu.candidates[0])
    await made.open()
    hall.sfu.options = replace(hall.sfu.options, public_port=made.port)
    yield made
    made.close()


async def test_what_is_lost_on_the_way_is_made_good(hall: Hall, relay: LossyRelay) -> None:
    """5 % lost and 40 ms of delay in each direction, of the publisher and of the viewer."""
    host = await publish(hall)
    viewer = Viewer(hall, "viewer")
    await viewer.watch({event.track: 720 for event in hall.told(TrackOpened)})
    await viewer.until(video=3)
    for weather in (relay.up, relay.down):
        weather.loss, weather.delay_s, weather.jitter_s = 0.05, 0.04, 0.005
    seen = viewer.frames["video"]
    await viewer.until(video=seen + 60)
    counters = hall.sfu.counters()
    assert relay.up.lost > 5
    assert relay.down.lost > 5
    assert counters.nacks_asked > 0
    assert counters.resent > 0
    await viewer.close()
    await host.close()


async def test_a_connection_survives_another_address(hall: Hall, relay: LossyRelay) -> None:
    """The client's NAT gives it another port in the middle: its next signed request is enough."""
    host = await publish(hall, video=False)
    viewer = Viewer(hall, "viewer")
    (opened,) = hall.told(TrackOpened)
    await viewer.watch({opened.track: 1})
    await viewer.until(audio=10)
    before = [found[0]._address for found in hall.sfu._peers.values()]
    relay.forget_clients()
    # What is on its way under the old addresses may still arrive; then only the new ones count.
    await viewer.until(audio=viewer.frames["audio"] + 100)
    after = [found[0]._address for found in hall.sfu._peers.values()]
    assert set(after).isdisjoint(before)
    assert len(hall.told(PeerConnected)) == 2
    await viewer.close()
    await host.close()


def test_the_relay_loses_delays_and_caps_as_it_is_told() -> None:
    dice = random.Random(1)
    lossy = Weather(loss=0.05)
    assert 20 < sum(lossy.leaves_at(0, 100, dice) is None for _ in range(1000)) < 80
    late = Weather(delay_s=0.08, jitter_s=0.01)
    assert all(0.08 <= (late.leaves_at(0, 100, dice) or 0) <= 0.09 for _ in range(100))
    capped = Weather(cap_bits_s=80_000, queue_s=0.1)
    passed = [at for n in range(200) if (at := capped.leaves_at(n / 100, 1000, dice)) is not None]
    assert 18 <= len(passed) <= 24  # ten kilobytes a second for two seconds


def test_the_layer_goes_down_and_up_with_the_cap() -> None:
    """In the engine's own time: a viewer whose path carries the small layer only, for a while."""
    choice, layers = LayerChoice(2), list[int]()
    for second in range(60):
        capped = 10 <= second < 30
        choice.heard(120 if capped and choice.layer else 0, second * 1000)
        layers.append(choice.layer)
    assert layers[9] == 1
    assert layers[13] == 0
    assert layers[59] == 1
