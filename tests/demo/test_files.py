"""The demo's bid documents (投标文件) are what they say: they open, and they are of real size."""

import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook
from PIL import Image

from server.demo.files import BILL_ROWS, PDFS, SCAN_PAGES, SCAN_SIZE, SHEETS, make_files

SIZE_MIN = 2_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("documents") / "made"
    assert len(make_files(made)) == PDFS + SHEETS
    return made


def test_every_document_is_of_several_megabytes_and_made_once(folder: Path) -> None:
    documents = make_files(folder)
    assert sorted(documents) == sorted(folder.iterdir())
    for document in documents:
        before = document.stat()
        assert before.st_size > SIZE_MIN
        make_files(folder)
        assert document.stat().st_mtime_ns == before.st_mtime_ns  # those already there are kept


def objects_of(pdf: bytes) -> list[bytes]:
    """The objects, found as a reader finds them: by the table that the file's end points to."""
    end = re.search(rb"startxref\n(\d+)\n%%EOF\s*$", pdf)
    assert end is not None
    table = pdf[int(end[1]) :]
    assert table.startswith(b"xref\n")
    places = [int(one) for one in re.findall(rb"(\d{10}) \d{5} n", table)]
    objects: list[bytes] = []
    for number, place in enumerate(places, start=1):
        assert pdf.startswith(b"%d 0 obj" % number, place)
        objects.append(pdf[place : pdf.index(b"endobj", place)])
    return objects


def test_a_proposal_opens_as_a_document_of_scanned_pages(folder: Path) -> None:
    for proposal in sorted(folder.glob("*.pdf")):
        pdf = proposal.read_bytes()
        assert pdf.startswith(b"%PDF-1.")
        objects = objects_of(pdf)
        pages = [one for one in objects if re.search(rb"/Type /Page\b", one)]
        assert len(pages) == SCAN_PAGES + 1  # a title page, then the scans with their captions
        scans = [one for one in objects if b"/DCTDecode" in one]
        assert len(scans) == SCAN_PAGES
        for scan in scans:
            drawn = scan[scan.index(b"stream\n") + 7 : scan.rindex(b"\nendstream")]
            with Image.open(io.BytesIO(drawn)) as image:
                image.load()
                assert image.size == SCAN_SIZE


def test_a_bill_opens_as_a_sheet_whose_amounts_are_quantity_times_rate(folder: Path) -> None:
    book = load_workbook(min(folder.glob("*.xlsx")), read_only=True)
    rows = book.worksheets[0].iter_rows(values_only=True)
    assert next(rows) == ("No.", "Work", "Unit", "Quantity", "Rate", "Amount")
    numbers: list[object] = []
    for number, _work, _unit, quantity, rate, amount in rows:
        assert int(str(quantity)) * _fen(rate) == _fen(amount)
        numbers.append(number)
    assert numbers == list(range(1, BILL_ROWS))
    book.close()


def _fen(money: object) -> int:
    yuan, cents = str(money).split(".")
    assert len(cents) == 2
    return int(yuan) * 100 + int(cents)
