"""Bid documents (投标文件) for the demo: real PDFs and spreadsheets, made once at set-up.

`python -m server.demo.files FOLDER`. What is drawn is invented; its bulk is scanned-looking
noise, because that is what real bid files are made of. What draws them is imported where it draws:
it takes longer to load than the whole hall, and `make run` finds the files made.
"""

import io
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

PDFS = 4
SHEETS = 2
SCAN_PAGES = 20
SCAN_SIZE = (760, 980)
BILL_ROWS = 60_000
WORKS = (
    "Earthwork",
    "Pavement base",
    "Asphalt course",
    "Drainage",
    "Lighting",
    "Kerbs",
    "Planting",
)


def _scan(dice: random.Random) -> "Image.Image":
    """A page that compresses as badly as a scanned one."""
    from PIL import Image

    noise = Image.frombytes("L", SCAN_SIZE, dice.randbytes(SCAN_SIZE[0] * SCAN_SIZE[1]))
    return Image.eval(noise, lambda level: 200 + level // 5)


def _pdf(path: Path, number: int) -> None:
    from fpdf import FPDF

    dice = random.Random(number)  # noqa: S311 - a document, not a secret
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(auto=False)  # or every caption goes to a page of its own
    pdf.set_title(f"Technical proposal {number}")
    pdf.add_page()
    pdf.set_font("helvetica", size=24)
    pdf.cell(text="Technical proposal", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("helvetica", size=12)
    pdf.cell(text=f"Binhe East Road, JZ-2026-SG-0417, volume {number}")
    for page in range(SCAN_PAGES):
        pdf.add_page()
        image = io.BytesIO()
        _scan(dice).save(image, "JPEG", quality=70)
        pdf.image(image, x=10, y=10, w=190)
        pdf.set_y(-20)
        pdf.cell(text=f"{WORKS[page % len(WORKS)]}: method statement, sheet {page + 1}")
    pdf.output(str(path))


def _sheet(path: Path, number: int) -> None:
    import xlsxwriter

    dice = random.Random(1000 + number)  # noqa: S311
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Bill of quantities")
    sheet.write_row(0, 0, ("No.", "Work", "Unit", "Quantity", "Rate", "Amount"))
    for row in range(1, BILL_ROWS):
        quantity, fen = dice.randrange(1, 9000), dice.randrange(100, 90_000)
        work = f"{WORKS[row % len(WORKS)]} {dice.randrange(16**8):08x}"
        yuan, cents = divmod(quantity * fen, 100)
        amount = f"{yuan}.{cents:02d}"
        sheet.write_row(
            row, 0, (row, work, "m2", quantity, f"{fen // 100}.{fen % 100:02d}", amount)
        )
    book.close()


def make_files(folder: Path) -> list[Path]:
    """The documents below ``folder``; those already there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    for number in range(1, PDFS + 1):
        made.append(folder / f"proposal-{number}.pdf")
        if not made[-1].exists():
            _pdf(made[-1], number)
    for number in range(1, SHEETS + 1):
        made.append(folder / f"bill-{number}.xlsx")
        if not made[-1].exists():
            _sheet(made[-1], number)
    return made


if __name__ == "__main__":
    for document in make_files(Path(sys.argv[1])):
        print(document.name, f"{document.stat().st_size:,}")
