"""Where viewers go: the same as web_client/tests/net/ways.test.ts says of the page."""

import pytest

from signaling.ways import Ways


@pytest.mark.parametrize(
    ("edges", "first", "failures", "expected"),
    [
        ([], 3, [0, 1, 2, 1], ["owner"] * 4),
        (["a"], 0, [0, 1, 2, 3, 4], ["a", "a", "owner", "a", "owner"]),
        (["a", "b"], 0, [0, 1, 2, 3, 4, 5, 6], ["a", "b", "a", "owner", "b", "a", "owner"]),
        (["a", "b", "c"], 2, [0, 1, 1, 1, 1], ["c", "a", "b", "c", "a"]),
        (["a", "b"], 1, [0, 1, 2, 3, 1], ["b", "a", "b", "owner", "a"]),
    ],
)
def test_a_viewer_tries_every_edge_and_the_site_only_when_all_failed(
    edges, first, failures, expected
):
    ways = Ways("owner", edges, first)
    assert [ways.next(each) for each in failures] == expected
