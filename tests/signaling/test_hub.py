"""The plan of who is sent what: priorities, slices, frames made once."""

from signaling.channel import FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX, PAGE_EVENTS, Subscriber
from signaling.codec import ChannelKey, Position, pack, unpack_server_frame
from signaling.frames import event_payload, split_event
from signaling.gateway import Event
from signaling.hub import REST_BYTES_MAX, Hub, HubLimits

KEY = ChannelKey("tender:1", "hall")


def payload(seq, key=KEY, epoch=1, size=0):
    body = pack("x" * size) if size else pack({"n": seq})
    return event_payload(key, epoch, Event(seq, seq, "said", body, b"h"))


def a_hub(**limits):
    hub = Hub(HubLimits(**limits))
    hub.open(KEY, 1, 0)
    return hub


def a_listener(hub, name, *, is_participant=False, key=KEY, epoch=0, seq=0):
    # The sink is never called: the name is enough.
    subscriber = Subscriber(name, is_participant=is_participant)
    hub.subscribe(subscriber, Position(key, epoch, seq), seq)
    return subscriber


def say(hub, first, last=None, key=KEY, epoch=1, size=0):
    for seq in range(first, (last or first) + 1):
        hub.publish(key, epoch, seq, payload(seq, key, epoch, size))


def drain(hub, count_max=256):
    writes = []
    while hub.has_work:
        writes.extend(hub.next_slice(count_max).writes)
    return writes


def seqs(frame):
    parts = unpack_server_frame(frame[2 if frame[1] < 126 else 4 if frame[1] == 126 else 10 :])
    return [event[4] for event in (parts[1] if parts[0] == "batch" else [parts])]


def test_everybody_at_the_same_place_gets_the_same_bytes():
    hub = a_hub()
    for name in range(100):
        a_listener(hub, name)
    say(hub, 1, 3)
    writes = drain(hub)
    assert sorted(sink for sink, _ in writes) == list(range(100))
    assert len({id(frame) for _, frame in writes}) == 1
    assert seqs(writes[0][1]) == [1, 2, 3]


def test_participants_are_written_to_before_viewers():
    hub = a_hub()
    for n in range(20):
        a_listener(hub, f"viewer-{n}")
        a_listener(hub, f"bidder-{n}", is_participant=True)
    say(hub, 1)
    order = [sink.split("-")[0] for sink, _ in drain(hub, 8)]
    assert order == ["bidder"] * 20 + ["viewer"] * 20


def test_an_event_in_the_middle_of_a_sweep_reaches_participants_first():
    hub = a_hub()
    for n in range(100):
        a_listener(hub, f"viewer-{n}")
    a_listener(hub, "bidder", is_participant=True)
    say(hub, 1)
    first = hub.next_slice(10).writes
    assert first[0][0] == "bidder"
    say(hub, 2)
    second = hub.next_slice(10).writes
    assert second[0][0] == "bidder"
    assert seqs(second[0][1]) == [2]
    # Viewers not yet visited get both at once, those visited get the second alone.
    assert {tuple(seqs(frame)) for _, frame in second[1:]} == {(1, 2)}
    rest = drain(hub)
    assert sum(seqs(frame) == [2] for _, frame in rest) == 9
    assert hub.channel(KEY).viewers.lap == []


def test_viewers_do_not_starve_behind_a_busy_participant():
    hub = a_hub()
    for n in range(8):
        a_listener(hub, f"bidder-{n}", is_participant=True)
    a_listener(hub, "viewer")
    seen = []
    for seq in range(1, 9):
        say(hub, seq)
        seen += [sink for sink, _ in hub.next_slice(4).writes]
    assert "viewer" in seen


def test_a_slice_is_not_larger_than_asked():
    hub = a_hub()
    for n in range(1000):
        a_listener(hub, n, is_participant=n % 3 == 0)
    say(hub, 1)
    sizes = []
    while hub.has_work:
        sizes.append(len(hub.next_slice(256).writes))
    assert max(sizes) <= 256
    assert sum(sizes) == 1000


def test_who_unsubscribes_in_the_middle_of_a_sweep_is_not_written_to():
    hub = a_hub()
    listeners = [a_listener(hub, n) for n in range(10)]
    say(hub, 1)
    hub.next_slice(5)
    hub.unsubscribe(listeners[7], KEY)
    assert [sink for sink, _ in drain(hub)] == [5, 6, 8, 9]


def test_who_pauses_in_the_middle_of_a_sweep_gets_the_rest_later():
    hub = a_hub()
    listeners = [a_listener(hub, n) for n in range(3)]
    say(hub, 1)
    hub.next_slice(1)
    hub.pause(listeners[2])
    assert [sink for sink, _ in drain(hub)] == [1]
    say(hub, 2)
    drain(hub)
    hub.resume(listeners[2])
    [(sink, frame)] = drain(hub)
    assert (sink, seqs(frame)) == (2, [1, 2])


def test_a_long_catch_up_comes_in_frames_of_bounded_size_one_per_slice():
    hub = a_hub()
    say(hub, 1, 200, size=2000)
    a_listener(hub, "late")
    frames = []
    while hub.has_work:
        writes = hub.next_slice(256).writes
        assert len(writes) <= 1
        frames += [frame for _, frame in writes]
    assert [seq for frame in frames for seq in seqs(frame)] == list(range(1, 201))
    assert len(frames) > 5
    assert max(len(frame) for frame in frames) <= FRAME_BYTES_MAX + 100


def test_a_catch_up_begins_small_so_that_a_line_that_is_always_cut_gets_on():
    hub = a_hub()
    say(hub, 1, 200, size=500)
    heard = 0
    for _cut in range(200):
        listener = a_listener(hub, "cut", seq=heard, epoch=1)
        [(_, frame)] = hub.next_slice(256).writes
        assert len(frame) <= FIRST_FRAME_BYTES_MAX + 100
        assert seqs(frame)[0] == heard + 1
        heard = seqs(frame)[-1]
        hub.unsubscribe(listener, KEY)
        if heard == 200:
            return
    raise AssertionError(f"stands at {heard}")


def test_who_has_come_up_is_served_the_frames_of_all_others():
    hub = a_hub()
    say(hub, 1, 50, size=500)
    a_listener(hub, "early")
    drain(hub)
    a_listener(hub, "late", seq=50, epoch=1)
    drain(hub)
    say(hub, 51, 60, size=2000)
    frames = [frame for _, frame in drain(hub)]
    assert len(frames) == 2
    assert frames[0] is frames[1]


def test_one_page_is_asked_for_once_whoever_waits():
    hub = a_hub(ring_count_max=2)
    hub.open(ChannelKey("tender:2", "hall"), 1, 600)
    key = ChannelKey("tender:2", "hall")
    for n in range(50):
        a_listener(hub, n, key=key, epoch=1, seq=n)
    plan = hub.next_slice(256)
    assert [(read.after, read.limit) for read in plan.reads] == [(0, PAGE_EVENTS)]
    assert hub.supply(plan.reads[0], [payload(seq, key) for seq in range(1, 257)]) == []
    writes = drain(hub)
    assert {sink for sink, _ in writes} == set(range(50))
    assert [seq for sink, frame in writes if sink == 49 for seq in seqs(frame)] == [*range(50, 257)]


def test_a_page_the_journal_does_not_have_names_who_waits_in_vain():
    hub = a_hub()
    hub.open(ChannelKey("tender:2", "hall"), 1, 5)
    listener = a_listener(hub, "x", key=ChannelKey("tender:2", "hall"))
    [read] = hub.next_slice(10).reads
    assert hub.supply(read, []) == [listener]


def test_rings_are_given_up_oldest_first_and_served_from_the_journal():
    hub = a_hub(rings_bytes_max=1000)
    keys = [ChannelKey(f"tender:{n}", "hall") for n in range(10)]
    for key in keys:
        say(hub, 1, 10, key=key)
    held = [len(hub.channel(key).ring) for key in keys]
    assert held[0] == 0
    assert held[-1] == 10
    a_listener(hub, "x", key=keys[0])
    assert [read.key for read in hub.next_slice(10).reads] == [keys[0]]


def test_channels_without_listeners_are_forgotten_when_there_are_too_many():
    hub = a_hub(channels_max=5)
    a_listener(hub, "x")
    for n in range(20):
        say(hub, 1, key=ChannelKey(f"tender:{n}", "staff"))
    assert hub.channel(KEY) is not None
    assert hub.channel(ChannelKey("tender:0", "staff")) is None
    assert hub.channel(ChannelKey("tender:19", "staff")) is not None


def test_an_event_comes_apart_as_it_was_put_together():
    event = Event(7, 1234, "opening.revealed", pack({"价": [1, {"b": b"\x00"}]}), bytes(32))
    assert split_event(event_payload(KEY, 3, event)) == event


# ---- what an answer takes along


def test_an_answer_takes_along_what_is_waiting_and_nothing_is_sent_twice():
    hub, own = a_hub(), ChannelKey("tender:1", "party:a")
    hub.open(own, 1, 0)
    bidder = a_listener(hub, "bidder", is_participant=True)
    hub.subscribe(bidder, Position(own, 0, 0), 0)
    a_listener(hub, "viewer")
    say(hub, 1, 3)
    say(hub, 1, key=own)
    assert [seqs(frame) for frame in hub.rest_of(bidder)] == [[1, 2, 3], [1]]
    assert hub.rest_of(bidder) == []
    assert [sink for sink, _ in drain(hub)] == ["viewer"]
    say(hub, 4)
    assert [(sink, seqs(frame)) for sink, frame in drain(hub)] == [
        ("bidder", [4]),
        ("viewer", [4]),
    ]


def test_an_answer_takes_nothing_to_who_is_paused_and_not_what_only_the_journal_has():
    hub = a_hub(ring_count_max=2)
    say(hub, 1, 5)
    behind = a_listener(hub, "behind", is_participant=True)
    assert hub.rest_of(behind) == []
    paused = a_listener(hub, "paused", is_participant=True, epoch=1, seq=4)
    hub.pause(paused)
    assert hub.rest_of(paused) == []
    hub.resume(paused)
    assert [seqs(frame) for frame in hub.rest_of(paused)] == [[5]]


def test_an_answer_takes_no_more_after_a_large_frame():
    hub, own = a_hub(), ChannelKey("tender:1", "party:a")
    hub.open(own, 1, 0)
    bidder = a_listener(hub, "bidder", is_participant=True)
    hub.subscribe(bidder, Position(own, 0, 0), 0)
    say(hub, 1, size=REST_BYTES_MAX)
    say(hub, 1, key=own)
    assert len(hub.rest_of(bidder)) == 1
    assert len(hub.rest_of(bidder)) == 1


def test_a_new_epoch_is_told_before_anything_is_taken_along():
    hub = a_hub()
    bidder = a_listener(hub, "bidder", is_participant=True)
    hub.open(KEY, 2, 0)
    say(hub, 1, epoch=2)
    assert hub.rest_of(bidder) == []
    assert b"channel.epoch_changed" in drain(hub)[0][1]
