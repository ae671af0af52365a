"""What tests ask of a report (判定): which codes, on which member."""

from collections.abc import Mapping
from pathlib import Path

from crypto.verifier import Report, verify
from tests.verifier.bundle_file import signed, write


def codes(report: Report) -> set[str]:
    return {one.check for one in report.mismatches}


def members_of(report: Report, code: str) -> set[str]:
    return {one.member for one in report.mismatches if one.check == code}


def remarks(report: Report) -> set[str]:
    return {one.code for one in report.word_of}


def judged(members: Mapping[str, bytes], path: Path, **arguments: object) -> Report:
    """The verdict on these members, published again by whoever holds the receipt key."""
    file = write(signed(members), path / "opening.zip")
    return verify(file, **arguments)  # type: ignore[arg-type]


def assert_named(report: Report, code: str, member: str | None = None) -> None:
    """The report differs by this check, and names the member."""
    assert report.exit_code == 1
    assert code in codes(report), sorted(codes(report))
    if member is not None:
        assert member in members_of(report, code), members_of(report, code)


def assert_agrees(report: Report) -> None:
    assert [(one.check, one.member, one.expected, one.found) for one in report.mismatches] == []
    assert report.verdict == "agree"
