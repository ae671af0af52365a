"""The generator (人群): simulated bidders and viewers, orders on stdin (`loadtests.crowd`).

Times are CLOCK_MONOTONIC nanoseconds, the same clock in every process of the machine. A client's
write is timed before ``send``; the wall clock is read after it, because a frame counts as having
reached the socket only when ``send`` has returned.
"""

import gc
import time
from array import array
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import msgpack

from crypto.keys import SigningKey
from crypto.messages import build_unlock
from crypto.suites import get_suite
from loadtests.child import obey
from loadtests.comeback import Comeback, Seqs, through_the_cut
from loadtests.seats import OTHERS_EVERY_S, Row, Seat
from loadtests.wire import client_frame, handshake, hello, packed
from signaling.options import PATH, SUBPROTOCOL

POLL_S_MAX = 0.05
QUIET_NS = 500_000_000
KNOWN_MAX = 256
EVENT, BATCH = b"\x99\xa2ev", b"\x92\xa5batch"  # how our frames begin

_rows: dict[str, Row] = {}
_frames: dict[str, list[bytes]] = {}


def join(
    row: str,
    host: str,
    port: int,
    sources: list[str],
    origin: str = "",
    tickets: list[str | None] | None = None,
    positions: list[list[list[Any]]] | None = None,
    greeting: bytes = b"",
    path: str = PATH,
    subprotocol: str = SUBPROTOCOL,
) -> None:
    """Takes seats. Without ``origin``: raw sockets. Without ``positions``: no hello (peers), but
    perhaps a ``greeting``, a ``path`` and a ``subprotocol`` of their own.
    """
    request = handshake(host, port, origin, path=path, subprotocol=subprotocol)
    requests = [request] * len(sources) if origin else []
    hellos = [client_frame(greeting)] * len(sources) if greeting else []
    if positions is not None:
        asked = tickets or [None] * len(sources)
        hellos = [hello(t, p) for t, p in zip(asked, positions, strict=True)]
    _rows[row] = made = Row(host, port)
    made.open(
        sources,
        requests,
        hellos,
        is_ours=not greeting,
        meanwhile=lambda: _answer_pings(but=made),
    )
    made.seats.sort(key=lambda seat: seat.number)
    made.drain(0.3, lambda *_: None)
    gc.collect()
    gc.freeze()


def leave(row: str) -> None:
    _rows.pop(row).close()


def prebuild(name: str, room: str, window: dict[str, Any], bids: list[list[bytes]]) -> list[bytes]:
    """Signed UNLOCK commands, one per seat, ready to be written. ``bids``: (key's seed, bid_id,
    s_B) of each. Returns the command payloads, for the bare loop.
    """
    suite = get_suite(window["suite"])
    payloads: list[bytes] = []
    for number, (seed, bid_id, half) in enumerate(bids):
        message = build_unlock(
            suite,
            tender_id=window["tender_id"],
            opening_nonce=window["nonce"],
            envelope=1,
            w=window["w"],
            items=[(bid_id, half)],
            key=SigningKey(seed),
        )
        command = ["cmd", 1, f"{name}-{number:06d}", room, "unlock", {"messages": [message.raw]}]
        payloads.append(packed(command))
    _frames[name] = [client_frame(payload) for payload in payloads]
    return payloads


def storm(row: str, name: str, due_ns: list[int], within_s: float) -> dict[str, Any]:
    """Writes each seat's frame at its time and waits for every answer.

    Lists by seat: ``sent_ns``, ``sent_wall_ns`` (after the write), ``answered_ns`` (0: lost),
    ``codes`` (empty: accepted).
    """
    made, frames = _rows[row], _frames.pop(name)
    seats = made.seats
    sent, wall, answered = ([0] * len(seats) for _ in range(3))
    codes = [""] * len(seats)
    missing = [len(seats)]

    def take(seat: Seat, payload: bytes, ns: int) -> None:
        if payload[1:4] == b"\xa2ok":
            pass
        elif payload[1:5] == b"\xa3err":
            codes[seat.number] = msgpack.unpackb(payload)[3]
        else:
            return  # an event of one of its channels
        if not answered[seat.number]:
            answered[seat.number] = ns
            missing[0] -= 1

    order = sorted(range(len(seats)), key=due_ns.__getitem__)
    give_up_ns = due_ns[order[-1]] + int(within_s * 1e9)
    cpu_ns = time.process_time_ns()
    at = 0
    now = time.perf_counter_ns()
    while missing[0] and now < give_up_ns:
        while at < len(order) and due_ns[order[at]] <= now:
            number = order[at]
            sent[number] = time.perf_counter_ns()
            seats[number].sock.send(frames[number])
            wall[number] = time.time_ns()
            at += 1
            now = time.perf_counter_ns()
        if at < len(order):
            made.wake_at(due_ns[order[at]])
        made.poll(POLL_S_MAX, take)
        now = time.perf_counter_ns()
    return {
        "sent_ns": sent,
        "sent_wall_ns": wall,
        "answered_ns": answered,
        "codes": codes,
        "cpu_s": (time.process_time_ns() - cpu_ns) / 1e9,
    }


def listen(
    row: str, kind: str, count: int, within_s: float, by_room: bool = False
) -> dict[str, Any]:
    """Reads until every seat has heard ``count`` events of this type; ``count`` 0: until nobody
    has heard anything for half a second.

    ``times``: by seq (``by_room``: by "room seq"), packed int64 ns, one per seat that read it.
    ``disorder``: events that did
    not follow the one before on the same seat (a gap, a repeat).
    """
    made = _rows[row]
    # What a payload holds, worked out once: everybody gets the same bytes.
    known: dict[tuple[int, bytes], tuple[tuple[int, bool, Any], ...]] = {}
    times: dict[Any, array[int]] = {}
    newest = [0] * len(made.seats)
    missing = [len(made.seats) * count]
    disorder, heard_ns = [0], [0]

    def take(seat: Seat, payload: bytes, ns: int) -> None:
        key = (len(payload), payload[:128])
        seqs = known.get(key)
        if seqs is None:
            seqs = known[key] = _seqs(payload, kind, by_room)
        heard_ns[0] = ns
        for seq, is_counted, name in seqs:
            before = newest[seat.number]
            disorder[0] += bool(before) and seq != before + 1
            newest[seat.number] = seq
            if not is_counted:
                continue
            if name not in times:
                times[name] = array("q")
            times[name].append(ns)
            missing[0] -= 1

    cpu_ns = time.process_time_ns()
    give_up = time.monotonic() + within_s
    others_at = 0.0
    while (now := time.monotonic()) < give_up:
        if now >= others_at:
            others_at = now + OTHERS_EVERY_S
            _answer_pings(but=made)
        made.poll(POLL_S_MAX, take)
        if count and missing[0] <= 0:
            break
        if not count and heard_ns[0] and time.perf_counter_ns() - heard_ns[0] > QUIET_NS:
            break
    return {
        "times": {name: found.tobytes() for name, found in times.items()},
        "missing": missing[0] if count else 0,
        "disorder": disorder[0],
        "lost": sum(seat.is_lost for seat in made.seats),
        "cpu_s": (time.process_time_ns() - cpu_ns) / 1e9,
    }


def _answer_pings(but: Row | None = None) -> None:
    """Rows that nobody listens to now are heard all the same, or their server calls them dead."""
    for row in _rows.values():
        while row is not but and row.poll(0, lambda *_: None):
            pass


def comeback(
    rows: dict[str, list[str | None]], origin: str, stream: str, cut_ns: int, within_s: float
) -> dict[str, Any]:
    """These rows, with a ticket for each seat, live on until ``cut_ns``, lose every line at once,
    and come back with what they have. By row: see `comeback.Story`.
    """
    mine = {name: _rows.pop(name) for name in rows}
    back = [
        Comeback(mine[name], origin, [stream] * len(tickets), tickets, _positions())
        for name, tickets in rows.items()
    ]
    try:
        stories = through_the_cut(back, cut_ns, within_s)
    finally:
        for row in mine.values():
            row.close()
    return {name: asdict(story) for name, story in zip(rows, stories, strict=True)}


def live(
    row: str, origin: str, streams: list[str], seconds: float, leaves_per_s: float
) -> dict[str, Any]:
    """A row whose seats hear these halls, each one's own, and are left and taken again."""
    made = _rows.pop(row)
    viewers: list[str | None] = [None] * len(streams)
    try:
        life = Comeback(made, origin, streams, viewers, _positions())
        return asdict(life.live(seconds, leaves_per_s))
    finally:
        made.close()


def _positions() -> Seqs:
    """(epoch, seq) of the events in a payload, worked out once for all who get the same bytes."""

    @lru_cache(KNOWN_MAX)
    def positions(payload: bytes) -> tuple[tuple[int, int], ...]:
        return tuple((event[3], event[4]) for event in _events(payload))

    return positions


def send(row: str, number: int, payload: bytes) -> list[int]:
    """One frame of one seat; (ns before the write, ns when its answer was read)."""
    made = _rows[row]
    answered = [0, b""]

    def take(seat: Seat, payload: bytes, ns: int) -> None:
        if seat.number == number and payload[1:4] in (b"\xa2ok", b"\xa3er"):
            answered[:] = [ns, payload]

    frame = client_frame(payload)
    sock = made.seats[number].sock
    sent = time.perf_counter_ns()
    sock.setblocking(True)
    sock.sendall(frame)
    sock.setblocking(False)
    give_up = time.monotonic() + 20
    while not answered[0] and time.monotonic() < give_up:
        made.poll(POLL_S_MAX, take)
    answer = msgpack.unpackb(answered[1])
    assert answer[0] == "ok", answer
    return [sent, answered[0]]


def _seqs(payload: bytes, kind: str, by_room: bool) -> tuple[tuple[int, bool, Any], ...]:
    """(seq, whether it is of type ``kind``, under what it is noted) of every event in one frame."""
    return tuple(
        (event[4], event[6] == kind, f"{event[1]} {event[4]}" if by_room else event[4])
        for event in _events(payload)
    )


def _events(payload: bytes) -> list[Any]:
    if payload.startswith(BATCH):
        return msgpack.unpackb(payload, strict_map_key=False)[1]
    # A peer has its own words around what it carries, and one that falls behind sends several.
    found: list[Any] = []
    begin = payload.find(EVENT)
    while begin >= 0:
        unpacker = msgpack.Unpacker(strict_map_key=False)
        unpacker.feed(payload[begin:])
        found.append(unpacker.unpack())
        begin = payload.find(EVENT, begin + unpacker.tell())
    return found


if __name__ == "__main__":
    orders = (join, leave, prebuild, storm, listen, comeback, live, send)
    obey({order.__name__: order for order in orders}, between=_answer_pings)
