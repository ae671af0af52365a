"""`kaibiao edge`: what it needs is asked for in one line. Real ones run in tests/faults."""

import pytest

from tests.cli.program import run

SECRET = {"KAIBIAO_EDGES__SECRET": "a secret between a site and its edges"}
REDIS = {"KAIBIAO_EDGES__REDIS": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize(
    ("env", "named"), [({}, "edges.redis"), (SECRET, "edges.redis"), (REDIS, "edges.secret")]
)
def test_an_edge_without_what_it_needs_names_the_key(env: dict[str, str], named: str) -> None:
    done = run("edge", env=env)
    assert done.refusal == "config.invalid"
    assert named in done.err


def test_a_port_that_is_no_port_is_refused() -> None:
    assert run("edge", "--port", "70000").code == 2
