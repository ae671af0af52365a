"""docs/protocol.md says what the code says: examples are decoded and built, tables compared."""

import json
import re
from pathlib import Path

import pytest

import signaling
from signaling import frames
from signaling.codec import ChannelKey, decode_client_frame, pack
from signaling.gateway import Event
from signaling.options import PATH, SUBPROTOCOL, Options
from signaling.session import CloseCode, SessionLimits

SOURCE = Path(signaling.__file__).parent
PAGE = (SOURCE.parent / "docs" / "protocol.md").read_text()
CODE = re.compile(r'"((?:frame|hello|channel|command|peer|session|server|room)\.[a-z_0-9]+)"')
# Not on the wire of this protocol.
INTERNAL = {"frame.none"}


def of_json(value):
    """JSON has no bytes: {"hex": ...} stands for them."""
    if isinstance(value, dict):
        if value.keys() == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {key: of_json(item) for key, item in value.items()}
    return [of_json(item) for item in value] if isinstance(value, list) else value


def examples(speaker):
    fences = re.findall(rf"```{speaker}\n(.*?)```", PAGE, re.DOTALL)
    return [of_json(json.loads(line)) for fence in fences for line in fence.splitlines()]


def table(heading):
    """Rows of the table whose first column is called ``heading``, as lists of cells."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].splitlines()
    rows = []
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def rebuilt(parts):
    """The frame as the server's own builder makes it from its parts."""
    match parts:
        case ["welcome", session, server_ms, ping_s, limits, me]:
            return frames.welcome(session, server_ms, ping_s, limits, me)
        case ["ok", n, cmd_id, result]:
            return frames.ok(n, cmd_id, result)
        case ["err", n, cmd_id, code, is_retryable, detail]:
            return frames.err(n, cmd_id, code, is_retryable=is_retryable, detail=detail)
        case ["ev", *_]:
            return frames.events_frame([event_payload(parts)])
        case ["batch", events]:
            return frames.events_frame([event_payload(event) for event in events])
        case ["pong", t0, server_ms]:
            return frames.pong(t0, server_ms)
        case ["presence", room, counts]:
            return frames.presence(room, counts)
        case ["bye", code, reason, after_ms]:
            return frames.bye(code, reason, after_ms)
    raise AssertionError(parts)


def event_payload(parts):
    _, room, audience, epoch, seq, server_ms, kind, body, digest = parts
    event = Event(seq, server_ms, kind, pack(body), digest)
    return frames.event_payload(ChannelKey(room, audience), epoch, event)


@pytest.mark.parametrize("frame", examples("client"), ids=lambda frame: frame[0])
def test_what_the_page_lets_clients_say_is_understood(frame):
    assert decode_client_frame(pack(frame)) is not None


@pytest.mark.parametrize("frame", examples("server"), ids=lambda frame: frame[0])
def test_what_the_page_says_of_the_server_is_what_it_sends(frame):
    assert rebuilt(frame) == frames.wrap(pack(frame))


def test_every_kind_of_frame_has_an_example():
    assert {frame[0] for frame in examples("client")} == {"hello", "sub", "unsub", "cmd", "ping"}
    assert {frame[0] for frame in examples("server")} == {
        "welcome",
        "ok",
        "err",
        "ev",
        "batch",
        "pong",
        "presence",
        "bye",
    }


def test_every_code_of_the_source_is_on_the_page_and_none_else():
    in_source = {
        code for module in SOURCE.glob("*.py") for code in CODE.findall(module.read_text())
    } - INTERNAL
    on_page = {row[0] for row in table("code")} | {row[0] for row in table("reason")}
    assert on_page == in_source


def test_the_close_codes_of_the_page_are_those_of_the_source():
    assert {int(row[0]): row[1] for row in table("close code")} == {
        code.value: code.name for code in CloseCode
    }
    assert {int(row[1]) for row in table("reason")} == {code.value for code in CloseCode}


def test_the_limits_of_the_page_are_those_of_the_source():
    options = Options(origins=())
    viewer, participant = options.viewer_slow, options.participant_slow
    assert [row[1:] for row in table("limit")] == [
        [str(viewer.buffered_bytes_max), str(participant.buffered_bytes_max)],
        [str(viewer.paused_ms_max), str(participant.paused_ms_max)],
        [str(options.viewer_frame_bytes_max), str(options.participant_frame_bytes_max)],
    ]
    [welcome] = [frame for frame in examples("server") if frame[0] == "welcome"]
    assert welcome[4] == SessionLimits()._asdict() | {"frame_bytes_max": 1 << 20}
    assert f"subprotocol `{SUBPROTOCOL}`" in PAGE
    assert f"to `{PATH}`" in PAGE
    assert options.ping_after_ms == 20_000
    assert options.idle_after_ms == 45_000
    assert options.open_timeout_ms == 5000
