"""What makes the verifier one that a stranger can read: small files, no imports, words for all."""

import ast
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import crypto.verifier
from crypto.code_points import is_allowed
from crypto.verifier.kaibiao_verify import characters, texts_en, texts_zh, words
from crypto.verifier.kaibiao_verify.report import Remark

FOLDER = Path(crypto.verifier.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
LINES_MAX = 300
FUNCTION_MAX = 70
OWN = {"kaibiao_verify", "crypto.verifier"}
DYNAMIC = {  # groups of codes that are put together from a group and a kind
    "frozen": ("absent", "logged", "canonical", "shape", "nonce"),
    "readout": ("absent", "logged", "canonical", "shape", "nonce"),
    "submit": ("received", "decided"),
    "unlock": ("received", "decided"),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_short_and_says_what_it_is(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_MAX
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_MAX, node.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_standard_library_is_imported(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            own = any(name == one or name.startswith(one + ".") for one in OWN)
            assert own or name.split(".")[0] in sys.stdlib_module_names, name


def codes_of(call: str) -> Iterator[str]:
    """The literal codes given to `report.<call>` anywhere."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr=name), args=[ast.Constant(value=str(code)), *_]
                ) if name == call:
                    yield code


def mismatch_codes() -> set[str]:
    found = {code for call in ("check", "differs") for code in codes_of(call) if "." in code}
    rules = (FOLDER / "kaibiao_verify/manifest_rules.py").read_text(encoding="utf-8")
    found |= set(re.findall(r'"(manifest\.[a-z_]+)": \(', rules))
    found |= {f"{group}.{kind}" for group, kinds in DYNAMIC.items() for kind in kinds}
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_has_words(language: str) -> None:
    texts = words.LANGUAGES[language]
    found = mismatch_codes()
    assert len(found) > 150
    for code in found:
        assert len(words.sentence(code, language)) >= 5, code
        assert code.split(".")[0] in texts.GROUPS, code
    own = {code for code in texts.MISMATCH if not code.startswith("*.")}
    assert own <= found, own - found
    remarks = {*codes_of("on_word_of")} | {"registration.invitation", "registration.certificate"}
    assert remarks == set(texts.WORD_OF)


def test_both_languages_say_the_same_things() -> None:
    for table in ("GROUPS", "MISMATCH", "UNREADABLE", "WORD_OF", "NOT_CHECKABLE", "FRAME"):
        chinese, english = getattr(texts_zh, table), getattr(texts_en, table)
        assert chinese.keys() == english.keys(), table
        for code in chinese:
            filled = [
                {name for _, name, _, _ in string.Formatter().parse(text[code]) if name}
                for text in (chinese, english)
            ]
            assert filled[0] == filled[1], code


def test_hostile_text_does_not_reach_the_terminal() -> None:
    assert words.clean("a\x1b[31m\u202eb") == "a\\u001b[31m\\u202eb"
    remark = Remark("trust.key", {"name": "x\x1b", "key": "00"})
    assert "\x1b" not in words.clean(words.remark(remark, "zh"))


def test_lawful_characters_are_those_of_the_forms() -> None:
    assert all(characters.is_lawful(chr(c)) is is_allowed(chr(c)) for c in range(0x110000))
