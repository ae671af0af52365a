"""The load test of edges, tiny: both places are measured, and nothing is lost in either."""

import pytest

from tests.test_loadtests import aim, measured

pytestmark = pytest.mark.slow


def test_viewers_on_edges_and_on_the_owner_hear_everything() -> None:
    report = measured("edges", "--count", "60")
    assert aim(report, "events not read") == 0
    assert aim(report, "events out of order") == 0
    figures = report["figures"]
    for where in ("nobody", "owner", "edges"):
        assert figures[f"viewers_on_{where}"]["cpu_us_per_event"]["owner"] > 0
    on_edges = figures["viewers_on_edges"]["cpu_us_per_event"]
    assert on_edges["edge 1"] > 0
    assert on_edges["edge 2"] > 0
    assert figures["viewers_on_edges"]["commit_to_read_ms"]["p50"] > 0
