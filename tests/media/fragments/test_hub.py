"""The ring and its viewers: whoever is slow is set forward, and nobody has a queue."""

import asyncio
import gc
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.fragments import hub as module
from media.fragments.boxes import VIDEO_TIMESCALE, h264_format, opus_format
from media.fragments.cutter import Cut
from media.fragments.errors import FragmentRefused
from media.fragments.hub import LAG_MS_MAX, RING_MS_MAX, Hub, Viewer
from media.recording.depacketise.frames import VideoFormat
from tests.media.fragments.streams import Player

PART = VIDEO_TIMESCALE // 4  # fragments of 250 ms
GOP = 4
FORM = h264_format(VideoFormat("h264", 320, 240, (b"\x67\x42\xc0\x14\xda", b"\x68\xce\x3c\x80")))


def make_hub(**limits: int) -> Hub:
    hub = Hub(**limits)
    hub.set_layout(("video",))
    hub.set_format(0, FORM)
    return hub


def publish(hub: Hub, first: int, last: int, size: int = 100, gop: int = GOP) -> None:
    for number in range(first, last):
        cut = Cut(number * PART, PART, number % gop == 0, number.to_bytes(4, "big") * (size // 4))
        hub.publish(0, cut, 1_000 + number * 250)


def numbers(messages: list[bytes]) -> list[int]:
    return [int.from_bytes(one[24:28], "big") for one in messages if one[0] == 2]


def test_who_joins_begins_at_the_newest_keyframe_with_what_a_player_needs() -> None:
    hub = make_hub()
    publish(hub, 0, 11)
    messages = hub.join().take()
    assert [one[0] for one in messages] == [0, 1, 2, 2, 2]
    assert numbers(messages) == [8, 9, 10]
    player = Player().take(messages)
    assert player.mimes == {0: 'video/mp4; codecs="avc1.42c014"'}
    assert player.starts[0] == (0, True, 1_000 + 8 * 250, 8 * 250_000)


def test_who_keeps_up_misses_nothing() -> None:
    hub = make_hub()
    viewer = hub.join()
    seen: list[int] = []
    for number in range(40):
        publish(hub, number, number + 1)
        seen += numbers(viewer.take())
        assert viewer.take() == []
    assert seen == list(range(40))
    assert viewer.skipped == 0


def test_who_is_slow_is_set_forward_to_the_newest_keyframe() -> None:
    hub = make_hub()
    viewer = hub.join()
    publish(hub, 0, 6)
    assert numbers(viewer.take()) == [0, 1, 2, 3, 4, 5] or viewer.skipped == 0
    late = LAG_MS_MAX // 250 + 6
    publish(hub, 6, 6 + late)
    newest = (6 + late - 1) // GOP * GOP
    assert numbers(viewer.take())[0] == newest
    assert viewer.skipped == 1


def test_who_is_a_little_late_is_left_alone() -> None:
    hub = make_hub()
    publish(hub, 0, 1)
    viewer = hub.join()
    viewer.take()
    publish(hub, 1, 11)
    assert numbers(viewer.take()) == list(range(1, 11))
    assert viewer.skipped == 0


def test_without_a_newer_keyframe_a_slow_viewer_goes_on_where_it_is() -> None:
    hub = make_hub()
    publish(hub, 0, 1, gop=1000)
    viewer = hub.join()
    viewer.take()
    publish(hub, 1, 40, gop=1000)
    assert numbers(viewer.take())[0] == 1


def test_who_fell_out_of_the_ring_waits_for_a_keyframe() -> None:
    hub = make_hub()
    publish(hub, 0, 1, gop=100_000)
    viewer = hub.join()
    viewer.take()
    ring = RING_MS_MAX // 250
    publish(hub, 1, 3 * ring, gop=100_000)
    assert viewer.take() == []
    assert viewer.skipped == 1
    publish(hub, 100_000, 100_002, gop=100_000)
    assert numbers(viewer.take()) == [100_000, 100_001]


def test_a_new_format_comes_before_its_fragments_also_for_who_joins_later() -> None:
    hub = make_hub()
    early = hub.join()
    publish(hub, 0, 4)
    early.take()
    other = h264_format(VideoFormat("h264", 64, 64, (b"\x67\x64\x00\x28\xac", b"\x68\xee")))
    hub.set_format(0, other)
    publish(hub, 4, 6)
    for viewer in (early, hub.join()):
        messages = viewer.take()
        kinds = [one[0] for one in messages if one[0]]
        assert kinds == [1, 2, 2]
        assert Player().take(messages).mimes[0] == 'video/mp4; codecs="avc1.640028"'


def test_a_new_layout_begins_anew_for_everybody() -> None:
    hub = make_hub()
    viewer = hub.join()
    publish(hub, 0, 3)
    viewer.take()
    hub.set_layout(("audio",))
    hub.set_format(0, opus_format())
    assert [one[0] for one in viewer.take()] == [0]
    hub.publish(0, Cut(0, 960, True, b"sound"), 5_000)
    assert [one[0] for one in viewer.take()] == [1, 2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(1, 12)), max_size=30))
def test_whatever_a_viewer_does_its_fragments_ascend_and_each_gap_ends_at_a_keyframe(
    steps: list[tuple[int, bool, int]],
) -> None:
    hub = make_hub()
    viewer, place = hub.join(), 0
    seen: list[int] = []
    for count, looks, gop in steps:
        for _ in range(count):
            publish(hub, place, place + 1, gop=gop)
            place += 1
        if looks:
            for message in viewer.take():
                if message[0] == 2:
                    number, is_key = int.from_bytes(message[24:28], "big"), message[2]
                    assert not seen or number > seen[-1]
                    assert is_key or (seen and number == seen[-1] + 1)
                    seen.append(number)


def test_a_thousand_idle_viewers_cost_no_fragments() -> None:
    hub = make_hub()
    publish(hub, 0, 8, size=40_000)
    viewers = [hub.join() for _ in range(1000)]
    for viewer in viewers:
        viewer.take()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    publish(hub, 8, 1208, size=40_000)  # 48 MB went by
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < module.RING_BYTES_MAX + (1 << 20)
    shared = {id(viewer.take()[-1]) for viewer in viewers}
    assert len(shared) == 1, "everybody is sent the same bytes"


async def test_who_waits_is_woken_by_a_fragment_and_by_the_end() -> None:
    hub = make_hub()
    viewer = hub.join()
    assert [one[0] for one in await viewer.messages()] == [0]
    waiting = asyncio.create_task(viewer.messages())
    await asyncio.sleep(0)
    publish(hub, 0, 1)
    assert numbers(await waiting) == [0]
    waiting = asyncio.create_task(viewer.messages())
    await asyncio.sleep(0)
    hub.close()
    assert await waiting == []
    assert not await Hub().wait(0)


def test_viewers_are_counted_and_limited() -> None:
    hub = make_hub(viewers_max=2)
    one, two = hub.join(), hub.join()
    with pytest.raises(FragmentRefused, match=r"viewers\.full"):
        hub.join()
    one.close()
    one.close()
    assert hub.viewers == 1
    assert isinstance(hub.join(), Viewer)
    two.close()
    hub.close()
    with pytest.raises(FragmentRefused, match=r"stream\.closed"):
        hub.join()
