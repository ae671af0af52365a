"""The load test of edges, tiny: both places are measured, and nothing is lost in either."""

import pytest

from tests.test_loadtests import aim, measured

pytestmark = pytest.mark.slow


def test_viewers_on_edges_and_on_the_owner_hear_everything() -> None:
    report = measured("edges", "--count", "60")
    assert aim(report, "events not read") == 0
    assert aim(report, "events out of order") == 0
    figures = report["figures"]
    # CPU is above what each spends when idle, which on a busy machine may be all of it.
    for where in ("nobody", "owner", "edges"):
        spent = figures[f"viewers_on_{where}"]["cpu_us_per_event"]
        assert spent.keys() == {"owner", "redis", "edge 1", "edge 2"}
    for where in ("owner", "edges"):
        assert figures[f"viewers_on_{where}"]["commit_to_read_ms"]["p50"] > 0
        assert figures[f"viewers_on_{where}"]["cut"] == 0
