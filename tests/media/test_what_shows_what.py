"""The table "What shows what" of docs/media.md (以何为证): the tests that it names are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tree import text

PAGE = Path("docs/media.md")
ROW = re.compile(r"^\| (?!asked|---)(.+) \| (.+) \|$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")


def rows() -> dict[str, list[str]]:
    """What is asked, and the spans of what shows it."""
    _, _, part = text(PAGE).partition("## What shows what")
    return {asked: SPAN.findall(shown) for asked, shown in ROW.findall(part.partition("\n## ")[0])}


def named(spans: list[str]) -> Iterator[tuple[str, str]]:
    """Each name with the file before it; a file alone with an empty name."""
    file = ""
    for at, span in enumerate(spans):
        if "/" in span:
            file, after = span, spans[at + 1 : at + 2]
            if not after or "/" in after[0]:
                yield file, ""
        else:
            yield file, span


@pytest.mark.parametrize(("asked", "spans"), rows().items(), ids=lambda one: str(one)[:40])
def test_what_is_asked_is_shown_by_a_test_that_is_there(asked: str, spans: list[str]) -> None:
    found = list(named(spans))
    assert found, asked
    for file, name in found:
        lines = text(Path(file))
        assert not name or re.search(rf"^ *(async )?def {name}\(", lines, re.MULTILINE), (
            file,
            name,
        )


def test_the_table_is_whole() -> None:
    assert len(rows()) > 40
    assert any(name.startswith("test_") for spans in rows().values() for name in spans)
