"""The counters that the journal keeps of itself."""

from server.storage.metrics import Histogram


def test_a_histogram_counts_each_value_once():
    histogram = Histogram((1, 2, 4))
    for value in (0.5, 1, 1.5, 4, 9):
        histogram.observe(value)
    assert histogram.cumulative() == [(1, 2), (2, 3), (4, 4), (float("inf"), 5)]
    assert (histogram.count, histogram.sum, histogram.largest) == (5, 16, 9)
    assert histogram.quantile(0.5) == 2
    assert histogram.quantile(1.0) == 9
