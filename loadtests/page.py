"""docs/performance.md's tables and pictures, from reports: `python -m loadtests.page build/bench`.

Between `<!-- figures: NAME -->` and `<!-- end -->` the page holds what DIR/NAME.json says, and
nothing is written there by hand. A report that is not there leaves its table as it is. Pictures go
to docs/images/.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from loadtests import pictures
from loadtests.growth import ALL

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
IMAGES = PAGE.parent / "images"
PLACE = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
NOT_SHOWN = {"series", "lost"}  # drawn, or an aim already
Row = list[str]


def tables(report: dict[str, Any]) -> str:
    """What one report says: how it was taken, its aims, its figures."""
    if "rows" in report:
        rows = [[f"`{file}`", what, _said(us)] for file, what, us in report["rows"]]
        return f"{report['cpus']} CPUs.\n\n" + _table(["file", "what", "µs"], rows)
    size = f"{report['cpus']} CPUs, {report['date']}, {report['took_s']:.0f} s"
    absent = "".join(f" Absent: {name}." for name in report["absent"])
    parts = [f"`{report['command'].replace('--json ', '')}`, {size}.{absent}"]
    parts.append(
        _table(
            ["aim", "measured", "limit", "met"],
            [
                [
                    aim["what"],
                    _said(aim["value"]),
                    f"{'≥' if aim['at_least'] else '≤'} {_said(aim['limit'])}",
                    "yes" if aim["met"] else "**no**",
                ]
                for aim in report["aims"]
            ],
        )
    )
    parts += _figures(report["figures"])
    return "\n\n".join(parts)


def _figures(figures: dict[str, Any]) -> list[str]:
    """Numbers in one line; records with the same members side by side in one table."""
    plain: list[str] = []
    alike: dict[tuple[str, ...], list[Row]] = {}
    for name, value in figures.items():
        if name in NOT_SHOWN or value in ({}, [], None):
            continue
        if isinstance(value, dict):
            for said, flat in _records(name, value):
                alike.setdefault(tuple(flat), []).append([said, *map(_said, flat.values())])
        else:
            plain.append(f"{name} {_said(value)}")
    made = [", ".join(plain) + "."] if plain else []
    return made + [_table(["", *members], rows) for members, rows in alike.items()]


def _records(name: str, value: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The record of this name; of several with the same members each."""
    inner = [tuple(one) for one in value.values() if isinstance(one, dict)]
    if len(inner) == len(value) > 1 and len(set(inner)) == 1:
        return [(f"{name}: {part}", _flat(one)) for part, one in value.items()]
    return [(name, _flat(value))]


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            flat |= {f"{name} {member}": said for member, said in _flat(inner).items()}
        else:
            flat[name] = inner
    return flat


def _said(value: Any) -> str:
    if isinstance(value, list):
        return " / ".join(map(_said, value))
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _table(head: Row, rows: list[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(page: str, reports: dict[str, dict[str, Any]]) -> str:
    """The page with the tables of these reports in their places."""

    def filled(found: re.Match[str]) -> str:
        begin, name, end = found.groups()
        if name not in reports:
            return found[0]
        return f"{begin}\n{tables(reports[name])}\n\n{end}"

    return PLACE.sub(filled, page)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.page")
    parser.add_argument("folder", type=Path, help="where python -m loadtests --out wrote")
    folder = parser.parse_args().folder
    reports = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }
    grown = reports.pop("growth", {})
    if missing := [one.name for one in ALL if one.name not in grown]:
        print("growth.svg stays as it is, without:", ", ".join(missing))
    else:
        pictures.growth(grown, {one.name: one.unit for one in ALL}, IMAGES / "growth.svg")
    if "soak" in reports:
        pictures.soak(reports["soak"], IMAGES / "soak.svg")
    page = PAGE.read_text(encoding="utf-8")
    places = {name for _, name, _ in PLACE.findall(page)}
    PAGE.write_text(written(page, reports), encoding="utf-8")
    print("written:", ", ".join(sorted(places & reports.keys())) or "nothing")
    print("without a report:", ", ".join(sorted(places - reports.keys())) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
