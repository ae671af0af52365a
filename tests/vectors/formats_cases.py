"""How a hostile case is written down, and how a lawful value is bent into one."""

import copy
import re
from typing import Any

Case = dict[str, Any]
Value = Any

_REPEATED = re.compile(rb"(.)\1{255,}", re.DOTALL)


def case(check: str, name: str, raw: bytes | str, code: str | None, **arguments: Value) -> Case:
    """One case. Long repetitions of a byte are written as runs, to keep the file small."""
    data = raw.encode("utf-8") if isinstance(raw, str) else raw
    return {"check": check, "name": name, "runs": _runs(data), **arguments, "code": code}


def _runs(data: bytes) -> list[list[Value]]:
    """[hex, times] pairs whose repetitions joined are ``data``."""
    runs: list[list[Value]] = []
    at = 0
    for found in _REPEATED.finditer(data):
        if at < found.start():
            runs.append([data[at : found.start()].hex(), 1])
        runs.append([found[1].hex(), len(found[0])])
        at = found.end()
    return [*runs, [data[at:].hex(), 1]] if at < len(data) or not runs else runs


def changed(value: Value, *path: str | int, to: Value) -> Value:
    """A copy with one place changed; ``to`` may be a function of the old value."""
    whole = copy.deepcopy(value)
    inside = whole
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = to(inside[path[-1]]) if callable(to) else to
    return whole


def without(value: Value, *path: str | int) -> Value:
    whole = copy.deepcopy(value)
    inside = whole
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return whole
