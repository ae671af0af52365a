"""The load tests themselves, tiny: each measures, reports in its shape, and loses nothing."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.slow

WITHIN_S = 120


def measured(name: str, *arguments: str) -> dict[str, Any]:
    """One run; stdout must be one JSON object alone."""
    command = [sys.executable, "-m", f"loadtests.{name}", "--small", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=WITHIN_S)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    report = json.loads(done.stdout)
    assert report["name"] == name
    assert report["ratio"] > 0
    assert report["aim"] > 0
    assert report["cpus"] >= 1
    assert report["aim_met"] == all(aim["met"] for aim in report["aims"])
    for aim in report["aims"]:
        least, value, limit = aim["at_least"], aim["value"], aim["limit"]
        assert aim["met"] == (value >= limit if least else value <= limit)
    assert report["figures"]["lost"] == 0
    return report


def aim(report: dict[str, Any], what: str) -> float:
    (found,) = [a["value"] for a in report["aims"] if a["what"] == what]
    return found


def test_a_storm_of_unlocks_loses_none_and_refuses_none_without_reason():
    report = measured("unlock_storm", "--count", "30")
    figures = report["figures"]
    assert aim(report, "answers lost") == 0
    assert aim(report, "refused for another reason") == 0
    # Three storms; what was written after the end of the last window may be late, nothing else.
    assert figures["accepted"] + figures["refused_late"] == 90
    for way in ("spread", "instant-1", "last"):
        assert figures[way]["server_cpu_ms"] > 0
        assert figures[way]["accept_ms"]["p50"] <= figures[way]["accept_ms"]["max"]
    assert figures["bare_loop_ms"][0] > 0
    assert figures["fsync_ms"]["p50"] > 0


def test_a_reveal_opens_every_form_and_reaches_every_viewer():
    report = measured("reveal", "--count", "30", "--viewers", "20")
    figures = report["figures"]
    assert figures["opened"] == figures["bids"] == 30
    assert aim(report, "read-outs not read") == 0
    handed_over = figures["committed_and_handed_to_fan_out_ms"]
    assert handed_over["trustee_released"] <= handed_over["prices_read_out"]
    assert handed_over["prices_read_out"] <= figures["last_viewer_ms"][0]
    assert figures["bare_loop_parts_ms"].keys() == {"halves", "forms", "journal", "writes"}


def test_a_fan_out_reaches_every_viewer_in_order_beside_its_peers():
    report = measured("fanout", "--count", "50")
    assert aim(report, "events not read") == 0
    assert aim(report, "events out of order") == 0
    figures = report["figures"]
    for name in ("kaibiao", "bare loop", "websockets.broadcast"):
        assert figures[name]["cpu_us_per_delivery"] > 0
    # What cannot run here is named, never replaced by a remembered figure.
    assert ("ws (Node)" in figures) != any(one.startswith("ws") for one in report["absent"])


def test_forwarding_sends_every_packet_to_every_viewer():
    report = measured("forwarding", "--count", "5")
    figures = report["figures"]
    assert figures["send_failures"] == 0
    assert figures["packets"] % figures["viewers"] == 0
    assert report["ratio"] == figures["ratio_to_bare_loop"]
