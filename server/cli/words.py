"""What a refusal is called on the command line (拒绝的说法): its code, and the pages' words for it.

Invariant: whatever the code, there is exactly one line, and the code stands in it.
"""

import json
import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def told(code: str, detail: str = "") -> str:
    """``code: what happened (detail)``. A code without words falls back on its noun's."""
    texts: dict[str, str] = json.loads((LOCALE / f"{_language()}.json").read_text("utf-8"))
    noun = code.split(".")[0]
    text = texts.get(f"refusal.{code}") or texts.get(f"refusal.{noun}.other") or ""
    # A text is "what happened | is the bid safe | what to do now"; the last speaks of pages.
    happened = text.split("|")[0].strip()
    said = f"{code}: {happened}" if happened else code
    return f"{said} ({detail})" if detail else said


_preferred: list[str] = []


def prefer(asked: str | None) -> str:
    """ "zh" or "en": what was asked for, else what the environment says; refusals follow it too."""
    _preferred[:] = [asked] if asked else []
    return asked or ("zh" if _language() == "zh_CN" else "en")


def _language() -> str:
    """zh_CN where that was asked for or the environment says so, else en."""
    if _preferred:
        return "zh_CN" if _preferred[0] == "zh" else "en"
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh_CN" if next((n for n in names if n), "").lower().startswith("zh") else "en"
