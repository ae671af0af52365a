"""`kaibiao demo --auto` on a machine that is busy with other things."""

from pathlib import Path

import pytest

from server.demo.auto import AutoPlan, play

pytestmark = pytest.mark.slow


async def test_a_deadline_that_passed_over_the_bidders_is_set_again_and_later(
    tmp_path: Path,
) -> None:
    summary = await play(AutoPlan(bidders=1, out=tmp_path, body_bytes=1000, deadline_ms=1))
    assert summary["tries"] > 1
    assert (summary["verdict"], summary["states"]) == ("agree", {"opened": 1})


async def test_what_else_fails_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.demo.auto.MANAGERS", ["\u202e"])
    with pytest.raises(RuntimeError, match=r"text\.code_point"):
        await play(AutoPlan(bidders=1, out=tmp_path, body_bytes=1000))
