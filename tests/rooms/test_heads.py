"""Positions told by what changed: whoever asks with what it was told misses nothing."""

from hypothesis import given
from hypothesis import strategies as st

from server.rooms.heads import Heads


def test_only_what_changed_is_told():
    heads = Heads("boot")
    heads.moved("a", 1)
    heads.moved("b", 1)
    seen = heads.version
    assert heads.since("boot", 0) == {"a": 1, "b": 1}
    heads.moved("a", 2)
    assert heads.since("boot", seen) == {"a": 2}
    assert heads.since("boot", heads.version) == {}


def test_another_boot_is_told_everything():
    heads = Heads("boot")
    heads.moved("a", 4)
    assert heads.since("before", heads.version) == {"a": 4}


def test_a_position_never_moves_back():
    heads = Heads("boot")
    heads.moved("a", 4)
    heads.moved("a", 3)
    assert heads.since("", 0) == {"a": 4}


@given(st.lists(st.one_of(st.sampled_from(["ask", "lose"]), st.sampled_from("abcd"))))
def test_asking_now_and_then_gives_what_asking_for_all_gives(steps):
    heads, seqs, known, version = Heads("boot"), {}, {}, 0
    for step in [*steps, "ask"]:
        if step == "ask":
            known |= heads.since("boot", version)
            version = heads.version
        elif step == "lose":
            heads.since("boot", version)  # an answer that never arrived
        else:
            seqs[step] = seqs.get(step, 0) + 1
            heads.moved(step, seqs[step])
    assert known == seqs
