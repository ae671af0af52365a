"""Bids out of a spreadsheet or a CSV file (读取报价表): the values that the methods' reader takes.

The first row names the columns: `id`, `name`, the fields of the method by their name in it or as
people call them, and `field.criterion.1` for the marks of the first expert. A worksheet called
`given` (name, value) or ``--given`` holds what was given with the tender.
Invariant: nothing is half-read: either every cell became a value, or the first cell that did not is
named. A number stays the decimal that the table shows; none becomes a binary fraction on the way.
"""

import csv
import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from crypto.errors import Rejected
from server.cli.files import read_within
from server.domain.evaluation.methods import (
    ChoiceField,
    Field,
    FlagField,
    Method,
    Misplaced,
    NumberField,
    ScoresField,
    Text,
)

FILE_BYTES_MAX = 32 << 20
UNPACKED_BYTES_MAX = 512 << 20
ROWS_MAX = 20_001
COLUMNS_MAX = 1_024
SIGNIFICANT_MAX = 15  # digits of a number that a spreadsheet keeps as they were typed

# What stands where a bidder's number should: a line that sums up the others.
TOTALS = ("合计", "小计", "总计", "平均", "total", "subtotal", "sum", "average")
ID_NAMES = ("id", "no", "no.", "编号", "序号", "投标编号")
NAME_NAMES = ("name", "bidder", "投标人", "投标人名称", "单位名称")
FLAGS = {"是": True, "yes": True, "true": True, "否": False, "no": False, "false": False}

_DECIMALS = re.compile(r"-?[0-9]+(?:\.([0-9]*))?")


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, and where: ``B7``."""

    place: str
    value: object

    def refuse(self, reason: str, why: str) -> Rejected:
        return Rejected(f"bids.{reason}", f"{self.place}: {why}")


@dataclass(slots=True)
class Table:
    """Bids as values. ``cells``: where each stood, by its place in the values."""

    given: dict[str, Any] = field(default_factory=dict)
    bids: list[dict[str, Any]] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)

    def as_value(self) -> dict[str, Any]:
        return {"given": self.given, "bids": self.bids}

    def give(self, said: str, cell: "Cell", methods: Sequence[Method]) -> None:
        """One number that came with the tender, under any of its names."""
        declared = [(name, kind) for method in methods for name, kind in method.given.items()]
        for name, kind in declared:
            if said in _said(name, kind.name):
                self.given[name] = _value(kind, cell)
                self.cells[f"given.{name}"] = cell.place
                return
        known = ", ".join(dict.fromkeys(name for name, _ in declared)) or "nothing"
        raise cell.refuse("unknown_member", f"{said[:40]!r}: given with the tender is {known}")

    def in_cells(self, error: Misplaced) -> Rejected:
        """The same refusal, naming the cell."""
        cell = self.cells.get(error.place)
        if cell is None:
            return error
        why = error.detail.removeprefix(error.place).removeprefix(": ")
        return Rejected(error.code, f"{cell}: {why}")


def read_table(path: Path, methods: Sequence[Method]) -> Table:
    """A .csv or .xlsx file as bids of these methods. Raises Rejected ``bids.*``."""
    raw = read_within(path, FILE_BYTES_MAX, "bids.size")
    if path.suffix.lower() == ".csv":
        return _table(_csv_rows(raw), methods)
    sheets = _workbook(raw)
    given = sheets.pop("given", None)
    if not sheets:
        raise Rejected("bids.missing", "a worksheet with the bids")
    table = _table(next(iter(sheets.values())), methods)
    if given is not None:
        for name, value in _pairs(given):
            table.give(str(name.value), value, methods)
    return table


def _pairs(rows: Iterable[list[Cell]]) -> Iterator[tuple[Cell, Cell]]:
    for row in rows:
        filled = [cell for cell in row if cell.value is not None]
        if len(filled) != 2:
            raise filled[0].refuse("size", "a name and a value in each row of `given`")
        yield filled[0], filled[1]


# ---- files


def _csv_rows(raw: bytes) -> list[list[Cell]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8; save the table as UTF-8 CSV, or as .xlsx"
        raise Rejected("bids.utf8", why) from error
    rows: list[list[Cell]] = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            rows.append([_cell(number, at, value or None) for at, value in enumerate(row)])
            _check_size(number, len(row))
    except csv.Error as error:
        raise Rejected("bids.syntax", f"row {len(rows) + 1}: {error}") from error
    return [row for row in rows if any(cell.value is not None for cell in row)]


def _workbook(raw: bytes) -> dict[str, list[list[Cell]]]:
    """Worksheets by name, in their order, without empty rows."""
    from openpyxl import load_workbook

    _check_archive(raw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that say nothing to us
            book = load_workbook(io.BytesIO(raw), read_only=True, keep_links=False)
            return {sheet.title: list(_sheet_rows(sheet)) for sheet in book.worksheets}
    except Rejected:
        raise
    except Exception as error:  # whatever a broken workbook makes the library raise
        raise Rejected(
            "bids.syntax", f"not a readable workbook ({type(error).__name__})"
        ) from error


def _check_archive(raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Rejected("bids.syntax", "neither .csv nor an .xlsx workbook") from error
    if size > UNPACKED_BYTES_MAX:
        raise Rejected("bids.size", f"unpacked more than {UNPACKED_BYTES_MAX} bytes")


def _sheet_rows(sheet: Any) -> Iterator[list[Cell]]:
    sheet.reset_dimensions()  # what a file says of its own size is not believed
    rows = sheet.iter_rows(max_row=ROWS_MAX + 1, max_col=COLUMNS_MAX + 1)
    for number, row in enumerate(rows, 1):
        cells = [_sheet_cell(number, at, each) for at, each in enumerate(row)]
        while cells and cells[-1].value is None:
            cells.pop()
        _check_size(number, len(cells))
        if cells:
            yield cells


def _sheet_cell(row: int, column: int, found: Any) -> Cell:
    cell = _cell(row, column, found.value)
    if found.data_type == "f":
        raise cell.refuse("type", "a formula; paste its value")
    if found.data_type == "e":
        raise cell.refuse("type", f"an error value, {found.value}")
    return cell


def _cell(row: int, column: int, value: object) -> Cell:
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return Cell(f"{letters}{row}", value)


def _check_size(row: int, columns: int) -> None:
    if row > ROWS_MAX or columns > COLUMNS_MAX:
        raise Rejected("bids.size", f"more than {ROWS_MAX} rows or {COLUMNS_MAX} columns")


# ---- columns


@dataclass(frozen=True, slots=True)
class _Column:
    """Where the values of a column go: ``path`` into a bid, and how they are read."""

    path: tuple[str | int, ...]
    kind: Field | None  # None: id and name


def _table(rows: list[list[Cell]], methods: Sequence[Method]) -> Table:
    if not rows:
        raise Rejected("bids.missing", "A1: the row that names the columns")
    columns = _columns(rows[0], methods)
    table = Table()
    for at, row in enumerate(rows[1:]):
        bid: dict[str, Any] = {}
        for column, cell in zip(columns, row, strict=False):
            _put(bid, column, cell, f"bids[{at}]", table.cells)
        for extra in row[len(columns) :]:
            if extra.value is not None:
                raise extra.refuse("unknown_member", "a value without a column")
        table.bids.append(bid)
        for column, head in zip(columns, rows[0], strict=True):
            letters = head.place.rstrip("0123456789")
            number = row[0].place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            for depth in range(len(column.path), 0, -1):
                place = _place(f"bids[{at}]", column.path[:depth])
                table.cells.setdefault(place, letters + number)
    return table


def _columns(header: list[Cell], methods: Sequence[Method]) -> list[_Column]:
    names = _names(methods)
    columns: list[_Column] = []
    for cell in header:
        said = str(cell.value).strip() if cell.value is not None else ""
        found = names.get(said.lower()) or _mark(said, methods)
        if found is None:
            raise cell.refuse("unknown_member", f"no field is called {said[:40]!r}")
        if any(found.path == other.path for other in columns):
            raise cell.refuse("twice", f"the column {said[:40]!r} stands twice")
        columns.append(found)
    return columns


def _names(methods: Sequence[Method]) -> dict[str, _Column]:
    names = {name: _Column(("id",), None) for name in ID_NAMES}
    names |= {name: _Column(("name",), None) for name in NAME_NAMES}
    for method in methods:
        for name, kind in method.fields.items():
            if not isinstance(kind, ScoresField):
                column = _Column((name,), kind)
                names |= {said.lower(): column for said in _said(name, kind.name)}
    return names


def _said(name: str, text: Text) -> tuple[str, str, str]:
    return name, text.zh, text.en


def _mark(said: str, methods: Sequence[Method]) -> _Column | None:
    """``tech.plan.2``: the second expert's mark for a criterion, in any of its names."""
    parts = said.split(".")
    if len(parts) != 3 or not parts[2].isdecimal() or not parts[2].isascii():
        return None
    for method in methods:
        for name, kind in method.fields.items():
            if not isinstance(kind, ScoresField) or parts[0] not in _said(name, kind.name):
                continue
            for criterion, (text, _) in kind.criteria.items():
                expert = int(parts[2]) - 1
                if parts[1] in _said(criterion, text) and 0 <= expert < kind.experts_max:
                    return _Column((name, criterion, expert), kind)
    return None


# ---- values


def _place(base: str, path: tuple[str | int, ...]) -> str:
    return base + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)


def _put(
    bid: dict[str, Any], column: _Column, cell: Cell, base: str, cells: dict[str, str]
) -> None:
    place = _place(base, column.path)
    cells[place] = cell.place
    if cell.value is None:
        return  # the reader says that it is missing, and the table where
    value = _value(column.kind, cell)
    if column.path == ("id",) and str(value).strip().lower() in TOTALS:
        raise cell.refuse("text", f"{value} is not a bidder; leave this row out")
    if len(column.path) == 1:
        bid[str(column.path[0])] = value
        return
    name, criterion, expert = column.path
    marks = bid.setdefault(str(name), {}).setdefault(str(criterion), [])
    if len(marks) != expert:
        raise cell.refuse("missing", "the mark of the expert before is missing")
    marks.append(value)


def _value(kind: Field | None, cell: Cell) -> object:
    match kind:
        case NumberField(money=True):
            return _with_decimals(_plain(cell), 2)
        case FlagField():
            known = (
                cell.value if isinstance(cell.value, bool) else FLAGS.get(str(cell.value).lower())
            )
            if known is None:
                raise cell.refuse("type", "yes or no, 是 or 否")
            return known
        case NumberField() | ScoresField() | ChoiceField() | None:
            return _plain(cell)


def _plain(cell: Cell) -> str:
    """A cell as text: a number as the decimal that it shows."""
    value = cell.value
    if isinstance(value, bool | datetime.date | datetime.time | datetime.timedelta):
        raise cell.refuse("type", f"{value} is not a number or a text")
    if isinstance(value, float):
        shown = Decimal(repr(value))  # the shortest decimal that is this number: what was typed
        if len(shown.as_tuple().digits) > SIGNIFICANT_MAX:
            raise cell.refuse("number", "more digits than a table keeps; write it as text")
        return f"{shown:f}"
    return str(value)


def _with_decimals(text: str, digits: int) -> str:
    """1234.5 and 1234 as 1234.50 and 1234.00: the zeros that a table leaves away."""
    found = _DECIMALS.fullmatch(text)
    if found is None or not text.isascii():
        return text  # the reader refuses it in its own words
    decimals = found[1] or ""
    return text.partition(".")[0] + "." + decimals.ljust(digits, "0")
