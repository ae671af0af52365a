"""The language of schemas: lawful values pass, others are refused with where and why."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import format_docs, format_types
from crypto.canonical import Json
from crypto.errors import Rejected
from crypto.format_docs import PAGES, outputs
from crypto.format_types import named_objects
from crypto.formats import DOCUMENTS, encode_document, main
from crypto.objects.entry import ENTRY_TYPES
from crypto.schema import (
    Ascii,
    Flag,
    Hex,
    Int,
    Items,
    Maybe,
    Note,
    Obj,
    OneOf,
    Open,
    Schema,
    Tagged,
    Text,
    check,
)
from tests.crypto import format_vectors

_A = Obj("A", "", {"kind": (OneOf(("a",)), ""), "n": (Int(0, 3), "")}, frozenset({"n"}))
_B = Obj("B", "", {"kind": (OneOf(("b",)), "")})
_CHOICE = Tagged("Choice", "", "kind", {"a": _A, "b": _B})

LAWFUL: list[tuple[Schema, list[Any]]] = [
    (Int(-1, 3), [-1, 0, 3]),
    (Flag(), [True, False]),
    (Text(1, 2), ["a", "\U00020000\U00020000"]),
    (Ascii("[a-z]{1,3}|xyz!"), ["a", "abc", "xyz!"]),
    (Hex(1, 2), ["00", "ffee"]),
    (Note(5), ["", "a\n—"]),
    (OneOf((0, 1)), [0, 1]),
    (OneOf(("on", "off")), ["on"]),
    (Items(Int(0, 1), 1, 2), [[0], [0, 1]]),
    (Maybe(Int(0, 1)), [None, 1]),
    (_CHOICE, [{"kind": "a"}, {"kind": "a", "n": 1}, {"kind": "b"}]),
    (Open("O", ""), [{}, {"anything": [None]}]),
]
UNLAWFUL: list[tuple[Schema, Any, str]] = [
    (Int(-1, 3), -2, "range"),
    (Int(-1, 3), 4, "range"),
    (Int(-1, 3), True, "type"),
    (Int(-1, 3), "1", "type"),
    (Int(-1, 3), None, "type"),
    (Flag(), 1, "type"),
    (Flag(), "true", "type"),
    (Ascii("[a-z]{1,3}|xyz!"), "abcd", "value"),
    (Ascii("[a-z]{1,3}|xyz!"), "abc\n", "value"),
    (Ascii("[a-z]{1,3}|xyz!"), "\nabc", "value"),
    (Ascii(r"\d"), "١", "value"),
    (Ascii("[a-z]"), 1, "type"),
    (Hex(1, 2), "", "value"),
    (Hex(1, 2), "0", "value"),
    (Hex(1, 2), "000", "value"),
    (Hex(1, 2), "000000", "value"),
    (Hex(1, 2), "FF", "value"),
    (Hex(1, 2), "0\n", "value"),
    (Hex(1, 2), "１１", "value"),
    (Note(5), "123456", "value"),
    (OneOf((0, 1)), True, "value"),
    (OneOf((0, 1)), 2, "value"),
    (OneOf(("on",)), "ON", "value"),
    (Items(Int(0, 1), 1, 2), [], "length"),
    (Items(Int(0, 1), 1, 2), [0, 0, 0], "length"),
    (Items(Int(0, 1), 1, 2), {}, "type"),
    (Items(Int(0, 1), 1, 2), [2], "range"),
    (_CHOICE, {}, "member_missing"),
    (_CHOICE, {"kind": "c"}, "value"),
    (_CHOICE, {"kind": 1}, "value"),
    (_CHOICE, {"kind": "b", "n": 1}, "member_unknown"),
    (_CHOICE, [], "type"),
    (Open("O", ""), [], "type"),
]


@pytest.mark.parametrize(("schema", "values"), LAWFUL)
def test_lawful_values_pass(schema: Schema, values: list[Any]) -> None:
    for value in values:
        check(schema, value)


@pytest.mark.parametrize(("schema", "value", "code"), UNLAWFUL)
def test_unlawful_values_are_refused_with_a_code(schema: Schema, value: Any, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        check(schema, value)
    assert refusal.value.code == f"object.{code}"


def test_the_detail_says_where() -> None:
    value: Json = {"trustees": [{}, {"xpk": "zz"}]}
    inner = Obj("I", "", {"xpk": (Hex(1, 1), "")}, frozenset({"xpk"}))
    schema = Obj("M", "", {"trustees": (Items(inner, 0, 9), "")})
    with pytest.raises(Rejected) as refusal:
        check(schema, value)
    assert refusal.value.detail == "trustees[1].xpk"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(JSON, st.sampled_from(sorted(DOCUMENTS)))
def test_any_value_is_checked_without_another_exception(value: Json, name: str) -> None:
    with pytest.raises(Rejected):
        encode_document(name, {"x": value})


def test_objects_of_one_name_are_one_object() -> None:
    """named_objects asserts it; the TypeScript types rely on it."""
    roots = [document.schema for document in DOCUMENTS.values()]
    objects = named_objects([*roots, *(kind.schema for kind in ENTRY_TYPES.values())])
    assert {"Manifest", "FormEnvelope", "SubmitEntry", "Receipt", "Proof"} <= objects.keys()


def test_printed_types_are_fresh() -> None:
    for path, text in outputs(docs=False, types=True).items():
        assert path.read_text("utf-8") == text, "python -m crypto.formats --typescript"


def test_printed_tables_and_examples_are_fresh() -> None:
    pages = outputs(docs=True, types=False)
    assert {page.name for page in pages} >= {"manifest.md", "entries.md", "log.md", "bundle.md"}
    for path, text in pages.items():
        assert path.read_text("utf-8") == text, "python -m crypto.formats --docs"


def test_every_document_has_a_table_and_an_example() -> None:
    whole = "".join(page.read_text("utf-8") for page in sorted(PAGES.glob("*.md")))
    for name in DOCUMENTS:
        assert f"<!-- table {name} -->" in whole
    examples = [line.split()[2] for line in whole.splitlines() if line.startswith("<!-- example")]
    assert len(examples) == len(set(examples)) == len(DOCUMENTS)


def test_the_command_says_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["--nonsense"]) == 2
    assert "usage" in capsys.readouterr().err
    assert main(["--check", "--docs", "--typescript"]) == 0
    assert capsys.readouterr().out == ""


def test_what_is_not_fresh_is_named_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types = tmp_path / "formats.ts"
    monkeypatch.setattr(format_docs, "TYPES", types)
    assert main(["--check", "--typescript"]) == 1
    assert not types.exists()
    assert main(["--typescript"]) == 0
    assert capsys.readouterr().out.split() == [str(types)] * 2
    assert types.read_text("utf-8") == format_types.typescript()
    assert main(["--check", "--typescript"]) == 0


def test_a_document_longer_than_its_limit_is_not_written() -> None:
    form: Any = json.loads(format_vectors.document("form"))
    form["fields"] = {"note": "x" * 60_000}
    with pytest.raises(Rejected, match=r"json\.size"):
        encode_document("Form", form)


def test_schemas_can_be_written_as_json_patterns_for_other_languages() -> None:
    """Patterns use what Python and JavaScript understand alike: no look-around, no escapes of
    either language alone, no backslash but before a dot.
    """
    for name, schema in named_objects([document.schema for document in DOCUMENTS.values()]).items():
        for pattern in _patterns(schema):
            assert pattern.isascii(), name
            assert "(?" not in pattern, name
            assert json.dumps(pattern).count("\\\\") == pattern.count("\\."), name


def _patterns(schema: Schema) -> list[str]:
    match schema:
        case Ascii(pattern):
            return [pattern]
        case Obj(members=members):
            return [each for inner, _ in members.values() for each in _patterns(inner)]
        case Items(item=inner) | Maybe(schema=inner):
            return _patterns(inner)
        case _:
            return []
