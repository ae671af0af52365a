"""What the documentation says is so: links, paths, names, commands, layers, tables."""

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from server.cli.verbs import app
from server.domain import (
    act_events,
    evaluation_room_events,
    floor_events,
    opening_events,
    registry_events,
    tender_events,
)
from server.domain.events import EVENTS, PartyEvent
from tests.tree import ROOT, ending, text, tracked

# Importing them fills EVENTS.
JOURNALS = (
    registry_events,
    tender_events,
    opening_events,
    act_events,
    floor_events,
    evaluation_room_events,
)
PAGES = ending(".md")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(
    r"[\w.@-]+(/[\w.@-]+)*\.(py|ts|tsx|md|toml|json|html|pyz|mjs|css)|[\w.-]+(/[\w.-]+)*/"
)
# Made by `make setup`, by a running hall or by a bidder: not in the tree.
MADE = re.compile(
    r"^(build|data|journal|store|opened|snapshots|web_client/dist|web_client/node_modules|\.venv)(/|$)|^DIR/|^OUT"
)
PRODUCTS = {
    "closed.json",
    "consistency.json",
    "frozen.json",
    "index.json",
    "manifest.json",
    "manifest.sig.json",
    "readout.json",
    "own.receipt.json",
    "summary.json",
    "form.json",
    "kaibiao-verify.pyz",
    "kaibiao.toml",
}


def slug(heading: str) -> str:
    """The anchor of a heading, as hosts that render Markdown make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(line.lstrip("#")) for line in text(path).splitlines() if line.startswith("#")}


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", text(path))


def links(page: Path) -> list[str]:
    return [written or shown for written, shown in LINK.findall(prose(page))]


# ---- links and paths


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (ROOT / page.parent / name).resolve() if name else ROOT / page
        assert found.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in anchors(found.relative_to(ROOT)), f"{page}: {target}"


@cache
def names() -> frozenset[str]:
    return frozenset(path.name for path in tracked())


@cache
def folders() -> frozenset[str]:
    return frozenset(str(parent) for path in tracked() for parent in path.parents)


def is_there(page: Path, span: str) -> bool:
    """A path from the root or from the page's folder; a bare name anywhere."""
    if MADE.match(span) or span in PRODUCTS or span.rsplit("/", 1)[-1] in PRODUCTS:
        return True
    if span.endswith("/"):
        return span.rstrip("/") in folders() or str(page.parent / span.rstrip("/")) in folders()
    if "/" not in span:
        return span in names()
    return (ROOT / span).exists() or (ROOT / page.parent / span).exists()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_path_that_is_named_is_there(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # tells of what was
        return
    spans = [span for span in SPAN.findall(prose(page)) if PATH.fullmatch(span)]
    assert [span for span in spans if not is_there(page, span)] == []


def test_every_name_in_the_life_of_a_bid_can_be_searched_for() -> None:
    code = "\n".join(text(path) for path in ending(".py", ".ts", ".tsx"))
    found = [
        span
        for span in SPAN.findall(prose(Path("docs/life-of-a-bid.md")))
        if re.fullmatch(r"[A-Za-z_]\w+", span)
    ]
    assert len(found) > 20
    assert [name for name in found if not re.search(rf"\b{name}\b", code)] == []


# ---- commands


def commands(page: Path) -> Iterator[str]:
    """Lines of shell blocks, and spans that are a command."""
    for language, block in FENCE.findall(text(page)):
        if language in {"sh", "bash", "shell"}:
            for line in block.replace("\\\n", " ").splitlines():
                yield line.split("#")[0].strip().removeprefix("$ ")
    yield from SPAN.findall(prose(page))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text(Path("Makefile")), re.MULTILINE))


# Said to be missing where it is named.
LATER = {"backup", "restore"}
VERBS = {"config": {"show", "example"}}
# Of the verifier's own argument parser.
VERIFY_OPTIONS = {"--tender-id", "--trust", "--receipt", "--json", "--lang"}


def options_of(verb: str, second: str = "") -> set[str]:
    """Of a command, or of the command below it (`kaibiao score diff`)."""
    if verb == "verify":
        return VERIFY_OPTIONS
    command = app[verb]
    if second in set(command):
        command = command[second]
    found: set[str] = set()
    for argument in command.assemble_argument_collection():
        found |= set(argument.names)
    return found | {"--help"}


def check_command(line: str) -> None:
    words = line.split()
    while words and re.match(r"[A-Z_]+=", words[0]):
        del words[0]
    if words[:1] == ["make"] and len(words) > 1:
        targets = [w for w in words[1:] if "=" not in w]
        assert set(targets) <= make_targets(), line
    elif words and re.fullmatch(r"(\.venv/bin/)?kaibiao", words[0]) and len(words) > 1:
        verb = words[1]
        if verb.isupper() or verb.startswith("-") or verb in LATER:
            return
        assert verb in set(app), line
        if verb in VERBS:
            assert words[2] in VERBS[verb], line
            return
        asked = {w.split("=")[0].strip("[]") for w in words[2:] if w.lstrip("[").startswith("--")}
        assert asked <= options_of(verb, words[2] if len(words) > 2 else ""), line
    elif "-m" in words[:3] and "python" in words[0]:
        module = words[words.index("-m") + 1].replace(".", "/")
        if module.isidentifier():
            return  # pytest and the like
        if not re.search(r"[A-Z<]", module):
            assert any((ROOT / f"{module}{end}").exists() for end in (".py", "/__main__.py")), line
    elif words[:2] == ["npm", "--prefix"]:
        scripts = json.loads(text(Path(words[2]) / "package.json"))["scripts"]
        asked = words[4] if words[3] == "run" else words[3]
        assert asked in {*scripts, "ci"}, line


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    for line in commands(page):
        check_command(line)


@pytest.mark.parametrize(
    "line",
    [
        "make nonsense",
        "kaibiao nonsense FILE",
        ".venv/bin/kaibiao seal --nonsense 1",
        "kaibiao verify BUNDLE --nonsense",
        "python -m loadtests.nonsense",
        "npm --prefix web_client run nonsense",
    ],
)
def test_a_command_that_does_not_exist_would_be_noticed(line: str) -> None:
    with pytest.raises(AssertionError):
        check_command(line)


def test_what_is_said_to_come_later_has_not_come() -> None:
    assert not LATER & set(app)


# ---- tables and lists


def test_the_layers_of_the_architecture_are_those_that_are_checked() -> None:
    contract = tomllib.loads(text(Path("pyproject.toml")))["tool"]["importlinter"]["contracts"][0]
    assert contract["type"] == "layers"
    checked = [
        sorted(part.strip().removeprefix("server.") for part in layer.split("|"))
        for layer in contract["layers"]
    ]
    (line,) = re.findall(r"^`(cli > .+)`", text(Path("ARCHITECTURE.md")), re.MULTILINE)
    shown = [
        sorted(part.strip() for part in layer.strip("() ").split("|"))
        for layer in line.rstrip(".").split(" > ")
    ]
    assert shown == checked


def test_decisions_are_numbered_without_gaps_and_say_why() -> None:
    pages = sorted(path for path in PAGES if path.parent == Path("docs/decisions"))
    numbered = [path for path in pages if path.name != "README.md"]
    assert [int(path.name[:4]) for path in numbered] == list(range(1, len(numbered) + 1))
    for path in numbered:
        title = text(path).splitlines()[0]
        assert title.startswith(f"# {path.name[:4]} "), path
        for part in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert part in text(path), f"{path}: {part}"


def test_a_decision_that_code_refers_to_is_there() -> None:
    numbers = {path.name[:4] for path in PAGES if path.parent == Path("docs/decisions")}
    code = "\n".join(text(path) for path in ending(".py", ".ts", ".tsx"))
    assert set(re.findall(r"docs/decisions/(\d{4})", code)) <= numbers


def test_the_table_of_events_is_that_of_the_domain() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\d+) \| (\w+) \| (.+) \|$", text(Path("docs/events.md")), re.MULTILINE
    )
    shown = {kind: (int(version), heard) for kind, version, heard, _ in rows}
    assert len(rows) == len(shown)
    assert shown == {
        kind: (event.VERSION, "party" if issubclass(event, PartyEvent) else event.AUDIENCE)
        for kind, event in EVENTS.items()
    }


def test_both_readmes_lead_to_the_same_places() -> None:
    def places(page: str) -> list[str]:
        return [one for one in links(Path(page)) if not one.startswith("README")]

    assert places("README.md") == places("README.en.md")
    blocks = [
        [block.split("#")[0] for _, block in FENCE.findall(text(Path(page)))]
        for page in ("README.md", "README.en.md")
    ]
    assert [block.split()[:4] for block in blocks[0]] == [block.split()[:4] for block in blocks[1]]


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [Path("README.md"), Path("README.en.md")]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in links(page):
            if re.match(r"[a-z]+:", target):
                continue
            name = target.partition("#")[0]
            found = (ROOT / page.parent / name).resolve().relative_to(ROOT)
            if (ROOT / found).is_dir():
                waiting += [path for path in PAGES if path.parent == found]
            elif found.suffix == ".md":
                waiting.append(found)
    docs = {path for path in PAGES if path.parts[0] == "docs"}
    assert docs - seen == set()


def test_pictures_are_small_enough_to_load() -> None:
    pictures = [path for path in tracked() if path.parts[:2] == ("docs", "images")]
    assert {path.name for path in pictures} >= {"hall.png", "bidder-phone.png"}
    assert [str(p) for p in pictures if (ROOT / p).stat().st_size > 300_000] == []
