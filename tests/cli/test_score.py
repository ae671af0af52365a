"""`kaibiao score`: bids from JSON, CSV and workbooks; what is wrong is named by its cell."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from server.cli.scoring.inputs import DELIVERED
from server.domain.evaluation.methods import replay
from tests.cli.program import Nursery, Ran

METHOD = "building-comprehensive"
CEILING = ("--given", "ceiling=105000000.00")
HEADER = ["编号", "投标人", "投标报价", "技术标.施工组织设计.1", "tech.quality.1", "credit"]
ROWS: list[list[Any]] = [
    ["1", "甲", "98000000.00", "15.0", "8.0", "5.00"],
    ["2", "乙", "95000000.00", "15.0", "8.0", "5.00"],
    ["3", "丙", "99000000.00", "15.0", "8.0", "5.00"],
    ["4", "丁", "96500000.00", "15.0", "8.0", "5.00"],
    ["5", "戊", "101000000.00", "15.0", "8.0", "5.00"],
]
RANKING = [[1, "1"], [2, "4"], [3, "3"], [4, "2"], [5, "5"]]

Write = Callable[..., Path]


@pytest.fixture(params=["csv", "xlsx"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Writes rows as a table of either kind."""
    return lambda rows, header=HEADER: written(tmp_path / f"bids.{request.param}", [header, *rows])


def written(path: Path, rows: list[list[Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
        return path
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


_nursery: Nursery | None = None


@pytest.fixture(autouse=True)
def _one_program(program: Nursery) -> None:
    global _nursery
    _nursery = program


def score(*arguments: str) -> Ran:
    assert _nursery is not None
    return _nursery.run("score", *arguments)


def scored(bids: Path, *more: str) -> dict[str, Any]:
    done = score("--method", METHOD, "--bids", str(bids), "--json", *more)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def refused(bids: Path, *more: str) -> str:
    done = score("--method", METHOD, "--bids", str(bids), *more)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1), done.err
    return done.err


def example() -> dict[str, Any]:
    return json.loads((DELIVERED / f"{METHOD}.json").read_bytes())["example"]


# ---- what goes in


def test_a_table_gives_what_the_same_bids_as_json_give(table: Write, tmp_path: Path) -> None:
    as_json = tmp_path / "bids.json"
    names = {row[0]: row[1] for row in ROWS}
    bids = [each | {"name": names[each["id"]]} for each in example()["bids"]]
    as_json.write_text(json.dumps({"given": example()["given"], "bids": bids}))
    from_table = scored(table(ROWS), *CEILING)
    assert from_table == scored(as_json)
    assert from_table["results"]["ranking"] == RANKING


def test_numbers_of_a_workbook_are_the_decimals_it_shows(tmp_path: Path) -> None:
    rows = [[int(r[0]), r[1], float(r[2]), float(r[3]), 8, float(r[5])] for r in ROWS]
    rows[0][2] = 98000000.25
    found = scored(written(tmp_path / "bids.xlsx", [HEADER, *rows]), *CEILING)
    assert found["bids"]["bids"][0]["price"] == "98000000.25"
    assert found["bids"]["bids"][1]["price"] == "95000000.00"


def test_a_worksheet_may_hold_what_was_given_with_the_tender(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for row in [HEADER, [], *ROWS]:
        book.active.append(row)
    sheet = book.create_sheet("given")
    sheet.append(["最高投标限价", 105000000])
    book.save(tmp_path / "bids.xlsx")
    assert scored(tmp_path / "bids.xlsx")["results"]["ranking"] == RANKING
    sheet["B1"] = 12.5
    book.save(tmp_path / "bids.xlsx")
    assert "B1: " in refused(tmp_path / "bids.xlsx")


def test_a_line_that_sums_up_is_no_bidder(table: Write) -> None:
    said = refused(table([*ROWS, ["合计", "", "487500000.00", "", "", ""]]), *CEILING)
    assert "A7: 合计" in said


def changed(row: int, column: int, value: Any) -> list[list[Any]]:
    rows = [list(each) for each in ROWS]
    rows[row][column] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "code", "cell"),
    [
        (changed(2, 2, "９８００００００.00"), "bids.number", "C4"),
        (changed(2, 2, "98\u200b000000.00"), "bids.number", "C4"),
        (changed(2, 2, "98,000,000.00"), "bids.number", "C4"),
        (changed(2, 2, "9800"), "bids.range", "C4"),  # in units of ten thousand yuan
        (changed(2, 2, "-98000000.00"), "bids.number", "C4"),
        (changed(2, 2, "98000000.001"), "bids.number", "C4"),
        (changed(2, 2, ""), "bids.missing", "C4"),
        (changed(4, 3, ""), "bids.missing", "D6"),
        (changed(4, 3, "20.5"), "bids.range", "D6"),
        (changed(1, 0, "1"), "bids.twice", "A3"),
        (changed(1, 5, "many"), "bids.number", "F3"),
        (changed(3, 1, "丁\u202e"), "bids.text", "B5"),
    ],
)
def test_a_broken_cell_is_named_and_nothing_is_half_imported(
    table: Write, rows: list[list[Any]], code: str, cell: str
) -> None:
    said = refused(table(rows), *CEILING)
    assert said.startswith(f"kaibiao: {code}:")
    assert f"{cell}: " in said


@pytest.mark.parametrize(
    ("header", "code", "cell"),
    [
        ([*HEADER[:5], "colour"], "bids.unknown_member", "F1"),
        ([*HEADER[:5], "price"], "bids.twice", "F1"),
        ([*HEADER[:4], "", "credit"], "bids.unknown_member", "E1"),
        ([*HEADER[:3], "tech.plan.99", *HEADER[4:]], "bids.unknown_member", "D1"),
        ([*HEADER[:3], "tech.plan.x", *HEADER[4:]], "bids.unknown_member", "D1"),
        ([*HEADER[:3], "tech.plan.2", *HEADER[4:]], "bids.missing", "D2"),
        (HEADER[:5], "bids.unknown_member", "F2"),
    ],
)
def test_a_wrong_column_is_named(table: Write, header: list[str], code: str, cell: str) -> None:
    said = refused(table(ROWS, header), *CEILING)
    assert said.startswith(f"kaibiao: {code}:")
    assert f"{cell}: " in said


@pytest.mark.parametrize(
    ("value", "code"),
    [("=1+1", "bids.type"), (True, "bids.type"), (98000000.123456789, "bids.number")],
)
def test_a_workbook_cell_that_is_no_plain_value_is_refused(
    tmp_path: Path, value: Any, code: str
) -> None:
    said = refused(written(tmp_path / "b.xlsx", [HEADER, *changed(0, 2, value)]), *CEILING)
    assert f"{code}:" in said
    assert "C2: " in said


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (513 << 20))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("b.csv", "编号,报价\n".encode("gbk"), "bids.utf8"),
        ("b.csv", b'id,"price\n1,2', "bids.syntax"),
        ("b.csv", b"", "bids.missing"),
        ("b.csv", b"id" + b",x" * 2000, "bids.size"),
        ("b.xlsx", b"PK\x03\x04 broken", "bids.syntax"),
        ("b.xlsx", b"no archive", "bids.syntax"),
        ("b.json", b"{", "bids.syntax"),
        ("b.json", b'{"bids": [{"id": "1", "price": 98000000.00}]}', "bids.missing"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(
    tmp_path: Path, name: str, raw: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    more = () if name.endswith(".json") else CEILING
    assert f"{code}:" in refused(tmp_path / name, *more)


def test_an_archive_that_unpacks_without_end_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(bomb())
    assert "bids.size:" in refused(tmp_path / "b.xlsx", *CEILING)


def test_what_was_given_with_the_tender_is_asked_for(table: Write, tmp_path: Path) -> None:
    assert "bids.missing:" in refused(table(ROWS))
    assert "bids.missing:" in refused(table(ROWS), "--given", "ceiling")
    assert "bids.unknown_member:" in refused(table(ROWS), *CEILING, "--given", "floor=1.00")
    (tmp_path / "b.json").write_text(json.dumps({"given": {}, "bids": []}))
    assert "bids.unknown_member:" in refused(tmp_path / "b.json", *CEILING)


def test_draws_are_asked_for_by_their_labels(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"bids": []}')
    done = score("--method", "low-price-mean-k", "--bids", str(tmp_path / "b.json"))
    assert done.code == 1
    assert done.err.startswith("kaibiao: ")


@pytest.mark.parametrize("name", ["nothing", "../delivered/building-comprehensive", "a/b"])
def test_a_method_that_is_not_there_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "b.json").write_text('{"bids": []}')
    done = score("--method", name, "--bids", str(tmp_path / "b.json"))
    assert (done.code, done.err.count("\n")) == (1, 1)


# ---- what comes out


def test_the_derivation_is_printed_in_both_languages_and_replays(
    table: Write, tmp_path: Path
) -> None:
    bids, paper = table(ROWS), tmp_path / "derivation.md"
    done = score("--method", METHOD, "--bids", str(bids), *CEILING, "--derivation", str(paper))
    assert done.code == 0
    text = paper.read_text()
    assert "评标基准价" in text
    assert "benchmark price" in text
    again = score("--method", METHOD, "--bids", str(bids), *CEILING, "--derivation", str(paper))
    assert again.code == 1  # never over an existing file
    kept = tmp_path / "derivation.json"
    raw = score("--method", METHOD, "--bids", str(bids), *CEILING, "--json").out.encode()
    kept.write_bytes(raw)
    assert replay(raw.removesuffix(b"\n")) == raw.removesuffix(b"\n")
    assert "byte for byte" in score("replay", str(kept), "--language", "en").out
    kept.write_bytes(raw.replace(b"97833333.33", b"97833333.34"))
    refused_ = score("replay", str(kept))
    assert (refused_.code, "derivation.differs" in refused_.err) == (1, True)


def test_refusals_follow_the_language_asked_for(table: Write) -> None:
    assert "投标数据有一处不合要求" in refused(table(ROWS), "--language", "zh")


def test_the_result_is_shown_in_the_language_asked_for(table: Write) -> None:
    asked = ("--method", METHOD, "--bids", str(table(ROWS)), *CEILING, "--language")
    zh, en = score(*asked, "zh").out, score(*asked, "en").out
    assert "评标基准价: 97833333.33" in zh
    assert "benchmark price: 97833333.33" in en


def test_a_method_is_explained_with_all_it_needs_drawn() -> None:
    done = score("explain", "--method", "low-price-mean-k", "--json")
    found = json.loads(done.out)
    assert [each["label"] for each in found["draws"]] == ["k"]
    assert found["draws"][0]["values"][0] == "0.95"
    assert len(found["says"]) > 5
    assert score("explain", "--method", METHOD, "--language", "zh").out.count("\n") > 8


def test_the_delivered_methods_are_listed() -> None:
    done = score("methods", "--language", "en")
    assert METHOD in done.out
    assert "unconfirmed" in done.out


def test_two_methods_are_compared_on_one_table(table: Write) -> None:
    done = score("diff", METHOD, METHOD, "--bids", str(table(ROWS)), *CEILING, "--json")
    found = json.loads(done.out)
    assert found["moved"] == []
    assert found["methods"][0]["first"] == ["1"]
    shown = score("diff", METHOD, METHOD, "--bids", str(table(ROWS)), *CEILING)
    assert shown.code == 0


def test_what_decided_is_reported(table: Write) -> None:
    asked = ("sensitivity", "--method", METHOD, "--bids", str(table(ROWS)), *CEILING)
    found = json.loads(score(*asked, "--json").out)
    assert (found["actual"]["first"], found["deciding"]) == (["1"], ["3", "5"])
    assert "3, 5" in score(*asked, "--language", "en").out


# ---- simulation


def simulated(bids: Path, *more: str) -> Ran:
    asked = {"--from": "96000000", "--to": "99000000.00", "--step": "1000000", "--own": "2"}
    asked |= dict(zip(more[::2], more[1::2], strict=False))
    words = [word for each in asked.items() for word in each]
    words += more[-1:] if len(more) % 2 else ()
    return score("simulate", "--method", METHOD, "--bids", str(bids), *CEILING, *words)


def test_a_simulation_is_a_table_json_and_a_picture_reproducible_by_seed(
    table: Write, tmp_path: Path
) -> None:
    bids = table(ROWS)
    pictures = [tmp_path / f"{n}.svg" for n in (1, 2)]
    one, two = (
        simulated(bids, "--samples", "8", "--seed", "9", "--plot", str(p), "--json")
        for p in pictures
    )
    assert one.out == two.out
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    rows = json.loads(one.out)["rows"]
    assert [row["price"] for row in rows] == [f"{n}000000.00" for n in (96, 97, 98, 99)]
    assert all(row["trials"] == 8 for row in rows)
    assert "97000000.00" in simulated(bids).out


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--spread", "three"), "simulate.samples"),
        (("--step", "0"), "simulate.range"),
        (("--step", "1x"), "simulate.range"),
        (("--from", "90万"), "simulate.range"),
        (("--own", "77"), "simulate.own"),
        (("--vary", "credit"), "simulate.vary"),
        (("--plot", "outlook.pdf"), "simulate.plot"),
        (("--to", "9"), "simulate.range"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    table: Write, more: tuple[str, ...], code: str
) -> None:
    done = simulated(table(ROWS), *more)
    assert (done.code, done.out) == (1, "")
    assert f"kaibiao: {code}" in done.err
