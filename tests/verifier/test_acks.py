"""The host's promises against what the log keeps."""

from pathlib import Path

import pytest

from tests.verifier.bundle_file import signed, write
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import assert_agrees, assert_named, judged, remarks
from tests.verifier.receipt_maker import Members, ack_member


def test_acknowledgements_that_the_log_keeps_agree(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    kept = ack_member(honest, honest.at(10.001) - 1)
    elsewhere = ack_member(honest, 7, raw=b"a superseded submission")
    report = judged(members | kept | elsewhere, tmp_path)
    assert_agrees(report)
    assert "ack.elsewhere" in remarks(report)


@pytest.mark.parametrize(
    ("received", "result", "code"),
    [(9.9, 0, "ack.entry"), (10.0, 1, "ack.entry"), (7.0, 0, "ack.integrated")],
)
def test_a_promise_that_the_log_does_not_keep_is_named(
    received: float,
    result: int,
    code: str,
    honest: Opening,
    members: Members,
    tmp_path: Path,
) -> None:
    added = ack_member(honest, honest.at(received), result=result)
    assert_named(judged(members | added, tmp_path), code, next(iter(added)))


def test_an_acknowledgement_under_another_name_is_named(
    honest: Opening, members: Members, tmp_path: Path
) -> None:
    (raw,) = ack_member(honest, honest.at(10.001) - 1).values()
    name = f"acks/{'ab' * 32}.bin"
    report = judged(members | {name: raw}, tmp_path)
    assert_named(report, "ack.name", name)
    assert write(signed(members), tmp_path / "again.zip").exists()
