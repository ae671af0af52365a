"""The shape of the tree: what a newcomer may rely on without having read all of it."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.domain import (
    act_events,
    evaluation_room_events,
    floor_events,
    opening_events,
    registry_events,
    tender_events,
)
from server.domain.events import EVENTS, HALL
from server.domain.refusals import REFUSALS
from server.http.refusals import HTTP_REFUSALS
from tests.tree import ROOT, ending, parsed, text, tracked

CODE_FOLDERS = ("crypto", "signaling", "media", "server")
# Importing them fills EVENTS.
JOURNALS = (
    registry_events,
    tender_events,
    opening_events,
    act_events,
    floor_events,
    evaluation_room_events,
)
LINES_MAX = 450
# Longer, each for a reason.
LONG = {
    "tests/domain/refusal_catalogue.py": "one story per refusal; split, nobody would find the gap",
    "tests/domain/test_opening_machine.py": "one state machine of hypothesis",
    "web_client/src/formats.ts": "printed from crypto/objects",
    "web_client/src/messages.ts": "printed from the events and commands of server/domain",
    "web_client/src/styles/words.css": "a list of small pieces",
    "web_client/tests/gallery/gallery.tsx": "every screen once",
}
FUNCTION_LINES_MAX = 70
# One value each, written down.
SAMPLES = {
    "tests/domain/golden/make_samples.py:sample_events",
    "tests/domain/tender_rules.py:sample_rules",
    "tests/vectors/formats_examples.py:manifest_value",
    "tests/vectors/formats_hostile.py:_json",
    "tests/vectors/kbid1_messages.py:messages_json",
}
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|stuff)(_|$)")
LOCALES = {name: json.loads(text(Path(f"server/locale/{name}.json"))) for name in ("zh_CN", "en")}
RAISED = {"Rejected", "Refused"}
# Codes that no person meets: the text of their noun would explain nothing, so they have none.
NOBODY_READS: dict[str, str] = {}
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted|registry\.npmjs|registry\.yarnpkg|npmmirror|crates\.io|proxy\.golang"
    r"|golang\.org|tuna\.tsinghua|mirrors?\.(aliyun|ustc|cloud|bfsu)|deb\.debian\.org|ghcr\.io|docker\.io"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~\"/])/(work|home|root|Users)/[\w.]")


def modules() -> list[Path]:
    return ending(".py")


# ---- files


@pytest.mark.parametrize("path", modules(), ids=str)
def test_a_module_says_what_is_in_it(path: Path) -> None:
    docstring = ast.get_docstring(parsed(path))
    assert docstring or not text(path).strip(), f"{path} has no docstring"


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = ending(".py", ".ts", ".tsx")
    assert [str(path) for path in named if VAGUE.search(path.stem)] == []


def test_files_can_be_read_in_a_sitting() -> None:
    code = ending(".py", ".ts", ".tsx", ".css", ".mjs")
    long = {str(path) for path in code if len(text(path).splitlines()) > LINES_MAX}
    assert long - LONG.keys() == set()
    assert LONG.keys() - {str(path) for path in tracked()} == set(), "exceptions without a file"


def test_functions_can_be_seen_whole() -> None:
    long: set[str] = set()
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.add(f"{path}:{node.name}")
    assert long == SAMPLES


def test_nothing_leads_to_a_registry_or_to_somebodys_machine() -> None:
    found: list[str] = []
    for path in tracked():
        if path.suffix in {".png", ".ico", ".woff2"} or path == Path("tests/test_shape.py"):
            continue
        for number, line in enumerate(text(path).splitlines(), 1):
            if REGISTRIES.search(line) or MACHINE_PATHS.search(line):
                found.append(f"{path}:{number}: {line.strip()[:80]}")
    assert found == []


def test_nothing_generated_or_private_is_tracked() -> None:
    ignored = ("build", "data", ".venv", "node_modules", "dist", "__pycache__")
    assert [str(path) for path in tracked() if set(path.parts) & set(ignored)] == []
    assert [str(p) for p in tracked() if p.suffix in {".kbk", ".key", ".pem", ".db"}] == []


# ---- words


def test_both_languages_have_the_same_keys_in_order() -> None:
    zh, en = (list(LOCALES[name]) for name in ("zh_CN", "en"))
    assert zh == en == sorted(zh)
    assert all(said.strip() for texts in LOCALES.values() for said in texts.values())


def codes_raised() -> Iterator[tuple[str, Path]]:
    """Every code of a refusal that is written where it is raised."""
    for path in modules():
        if path.parts[0] not in CODE_FOLDERS:
            continue
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in RAISED and node.args:
                yield from ((code, path) for code in literals(node.args[0]))


def literals(value: ast.expr) -> Iterator[str]:
    """``"noun.reason"``, also in the branches of ``a if b else c``."""
    if isinstance(value, ast.IfExp):
        yield from literals(value.body)
        yield from literals(value.orelse)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value


@pytest.mark.parametrize("language", LOCALES)
def test_every_refusal_is_told_in_words(language: str) -> None:
    """By a text of its own or by its noun's: what happened, is the bid safe, what to do."""
    texts = LOCALES[language]
    codes = {code for code, _ in codes_raised()} | REFUSALS.keys() | HTTP_REFUSALS.keys()
    assert len(codes) > 250
    silent = {
        code
        for code in codes
        if f"refusal.{code}" not in texts and f"refusal.{code.split('.')[0]}.other" not in texts
    }
    assert silent == NOBODY_READS.keys()
    for key, said in texts.items():
        if key.startswith("refusal."):
            assert len([part for part in said.split("|") if part.strip()]) == 3, key


def test_every_code_of_the_tables_has_a_text_of_its_own() -> None:
    """The tables are what a person at a page meets. A few share the text of their noun."""
    shared = {code for code in REFUSALS if f"refusal.{code}" not in LOCALES["zh_CN"]}
    assert shared == set()


def test_a_refusal_is_a_noun_and_a_reason() -> None:
    form = re.compile(r"[a-z_]+\.[a-z0-9_]+")
    wrong = [code for code, _ in codes_raised() if not form.fullmatch(code) or len(code) > 64]
    assert wrong == []


# ---- events


def test_pages_know_every_event_that_everybody_hears() -> None:
    pages = "\n".join(
        text(path)
        for path in ending(".ts", ".tsx")
        if path.parts[:2] == ("web_client", "src") and path.name != "messages.ts"
    )
    silent = [
        kind for kind, event in EVENTS.items() if event.AUDIENCE == HALL and kind not in pages
    ]
    assert silent == []


# ---- commands


def make_targets() -> dict[str, str]:
    """Target and its help, for those that are told."""
    return dict(re.findall(r"^([a-z-]+):.*## (.+)$", text(Path("Makefile")), re.MULTILINE))


def test_what_can_be_made_is_told_and_needs_no_file_of_its_name() -> None:
    (line,) = re.findall(r"^\.PHONY: (.+)$", text(Path("Makefile")), re.MULTILINE)
    phony = set(line.split())
    assert make_targets().keys() == phony
    assert {"setup", "run", "test"} <= phony


def test_what_lands_is_what_make_test_passes() -> None:
    script = text(Path(".ci/run"))
    assert script.rstrip().endswith("exec make test")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
