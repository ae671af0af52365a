"""The unlock card as a picture: a phone's camera reads what stands in its text."""

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.cli.conftest import Tender, seal_words
from tests.cli.program import ROOT, Nursery

SCALE = 4  # pixels of a module, as a camera would see more than one
# The decoder of the pages, fed with black and white pixels.
READ = """
const jsQR = require("jsqr");
const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
const pixels = Uint8ClampedArray.from(rows.flatMap((row) =>
  [...row].flatMap((one) => (one === "1" ? [0, 0, 0, 255] : [255, 255, 255, 255]))));
process.stdout.write(jsQR(pixels, rows[0].length, rows.length).data);
"""


def pixels(svg: Path) -> list[str]:
    """The picture as rows of 0 and 1: strokes of one module's height, m and h, relative."""
    root = ET.fromstring(svg.read_text())
    drawn = [one for one in root.iter() if one.tag.endswith("path")]  # the last is the dark
    (scaled,) = [one.attrib["transform"] for one in root.iter() if "transform" in one.attrib]
    scale = int(scaled.removeprefix("scale(").removesuffix(")"))
    side = int(root.attrib["width"]) // scale
    dark = [["0"] * side for _ in range(side)]
    x = y = 0.0
    for verb, numbers in re.findall(r"([Mmh])([-\d. ]+)", drawn[-1].attrib["d"]):
        given = [float(number) for number in numbers.split()]
        if verb == "M":
            x, y = given
        elif verb == "m":
            x, y = x + given[0], y + given[1]
        else:
            for column in range(int(x), int(x + given[0])):
                dark[int(y)][column] = "1"
            x += given[0]
    return ["".join(one * SCALE for one in row) for row in dark for _ in range(SCALE)]


def test_the_picture_of_a_card_is_read_as_its_text(
    tender: Tender, program: Nursery, tmp_path: Path
) -> None:
    words = seal_words(tender, tmp_path / "bid", envelope=2, file=tender.path("form.json"))
    assert program.run(*words).code == 0
    read = subprocess.run(
        ["node", "-e", READ],
        cwd=ROOT / "web_client",
        input=json.dumps(pixels(tmp_path / "bid.card.svg")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout + "\n" == (tmp_path / "bid.card.txt").read_text()
    assert (tmp_path / "bid.card.svg").stat().st_mode & 0o777 == 0o600
