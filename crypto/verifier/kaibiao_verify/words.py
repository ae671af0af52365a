"""A report in words and as JSON (报告输出), in Chinese or English.

Invariant: what is printed comes from the report alone; control characters of a hostile bundle never
reach the terminal.
"""

from __future__ import annotations

from typing import Any

from . import texts_en, texts_zh
from .report import Mismatch, Remark, Report

LANGUAGES = {"zh": texts_zh, "en": texts_en}
PRINTED_MAX = 50
FACTS = (
    "tender_id",
    "closing_fingerprint",
    "bids",
    "state_opened",
    "state_locked",
    "state_unrecoverable",
    "state_damaged",
    "state_malformed",
)


def sentence(code: str, language: str) -> str:
    """What a mismatch of this code means: its own sentence, or that of its kind."""
    texts = LANGUAGES[language].MISMATCH
    return texts.get(code) or texts["*." + code.split(".")[1]]


def remark(one: Remark, language: str) -> str:
    """A sentence of *word of* or *not checkable*, filled in."""
    texts = LANGUAGES[language]
    template = texts.WORD_OF.get(one.code) or texts.NOT_CHECKABLE[one.code]
    return template.format(**one.values)


def clean(text: str) -> str:
    """Printable characters only."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _mismatch(one: Mismatch, language: str) -> dict[str, str]:
    return {
        "member": one.member,
        "check": one.check,
        "expected": one.expected,
        "found": one.found,
        "text": sentence(one.check, language),
    }


def as_json(report: Report, language: str) -> dict[str, Any]:
    """The object of formats §8."""
    texts = LANGUAGES[language]
    mismatches = [_mismatch(one, language) for one in report.mismatches]
    if report.unreadable is not None:
        code, detail = report.unreadable.code, report.unreadable.detail
        text = texts.UNREADABLE[code]
        mismatches.append(
            {"member": "", "check": code, "expected": "", "found": detail, "text": text}
        )
    return {
        "verdict": report.verdict,
        "checked": [
            {"check": group, "count": report.held[group], "text": text}
            for group, text in texts.GROUPS.items()
            if report.held[group]
        ],
        "word_of": [remark(one, language) for one in report.word_of],
        "not_checkable": [remark(one, language) for one in report.not_checkable],
        "mismatches": mismatches,
    }


def as_text(report: Report, language: str) -> str:
    """The report for people: verdict in one line, facts, what differs, then the three lists."""
    texts, value = LANGUAGES[language], as_json(report, language)
    frame: dict[str, str] = texts.FRAME
    lines = [frame[report.verdict].format(count=len(value["mismatches"]))]
    if any(one.code == "closing.no_witnesses" for one in report.word_of):
        lines[0] += f" ({frame['no_witnesses']})"
    lines += [
        frame[name].format(value=report.facts[name]) for name in FACTS if name in report.facts
    ]
    if value["mismatches"]:
        lines += ["", frame["mismatches"]]
    for one in value["mismatches"][:PRINTED_MAX]:
        lines.append(f"  {one['member']} [{one['check']}] {one['text']}")
        if one["expected"] or one["found"]:
            lines.append(f"    {frame['expected']}: {one['expected']}")
            lines.append(f"    {frame['found']}: {one['found']}")
    if len(value["mismatches"]) > PRINTED_MAX:
        more = len(value["mismatches"]) - PRINTED_MAX
        lines.append("  " + frame["more"].format(count=more))
    if value["checked"]:
        lines += ["", frame["checked"]]
        lines += [f"  {one['count']:>6}  {one['text']}" for one in value["checked"]]
    for name in ("word_of", "not_checkable"):
        if value[name]:
            lines += ["", frame[name], *(f"  - {text}" for text in value[name])]
    return "\n".join(map(clean, lines)) + "\n"
