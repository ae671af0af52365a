"""Writes ``web_client/src/messages.ts`` from the Python schema: events by type and audience,
commands, refusal codes, roles, stages.

Invariant: the browser has no hand-written copy of a wire type. Run from the repository's root,
``python web_client/tools/make_messages.py`` writes the file and ``--check`` only compares; a test
does the same, so that a changed event cannot leave the client behind. Events whose audience is
``sealed`` never reach a browser and are left out.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as mi

from server.domain import (
    act_events,
    commands,
    evaluation_room_commands,
    evaluation_room_events,
    floor_commands,
    floor_events,
    opening_events,
    registry_events,
    tender_events,
)
from server.domain.commands import COMMANDS
from server.domain.evaluation_room import MeetingStage
from server.domain.events import EVENTS, SEALED, PartyEvent
from server.domain.model import Role
from server.domain.opening import Stage
from server.domain.refusals import REFUSALS

TARGET = Path(__file__).parents[1] / "src" / "messages.ts"
LINE_MAX = 100  # characters, as the client's formatter has it
HEAD = "// Written by web_client/tools/make_messages.py from server/domain. Do not edit.\n"
COMMAND_MODULES = (commands, floor_commands, evaluation_room_commands)
EVENT_MODULES = {
    "registry": (registry_events,),
    "tender": (tender_events,),
    "opening": (opening_events, act_events, floor_events),
    "evaluation": (evaluation_room_events, floor_events),
}


def _ts(type_: Any, structs: dict[str, mi.StructType]) -> str:
    """The TypeScript spelling of a msgspec type; structs met on the way go to ``structs``."""
    match type_:
        case mi.IntType():
            return "number"
        case mi.StrType():
            return "string"
        case mi.BoolType():
            return "boolean"
        case mi.BytesType():
            return "Uint8Array"
        case mi.NoneType():
            return "null"
        case mi.ListType(item_type=item) | mi.VarTupleType(item_type=item):
            return f"readonly {_ts(item, structs)}[]"
        case mi.DictType(key_type=key, value_type=value):
            assert isinstance(key, mi.IntType | mi.StrType), "maps have text or int keys"
            return f"Readonly<Record<{_ts(key, structs)}, {_ts(value, structs)}>>"
        case mi.EnumType(cls=cls):
            return cls.__name__
        case mi.UnionType(types=types):
            return " | ".join(_ts(member, structs) for member in types)
        case mi.StructType(cls=cls):
            if cls.__name__ not in structs:
                structs[cls.__name__] = type_
            return cls.__name__
        case _:
            raise TypeError(f"no TypeScript spelling for {type_!r}")


def _interface(name: str, struct: mi.StructType, structs: dict[str, mi.StructType]) -> str:
    members = ""
    for field in struct.fields:
        mark = "" if field.required else "?"
        members += f"  readonly {field.encode_name}{mark}: {_ts(field.type, structs)};\n"
    if not members:
        return f"export type {name} = Readonly<Record<string, never>>;\n"
    return f"export interface {name} {{\n{members}}}\n"


def _struct(cls: type[msgspec.Struct]) -> mi.StructType:
    info = mi.type_info(cls)
    assert isinstance(info, mi.StructType)
    return info


def _union(name: str, values: list[str]) -> str:
    quoted = [f'"{value}"' for value in values]
    line = f"export type {name} = {' | '.join(quoted)};"
    if len(line) <= LINE_MAX:
        return f"{line}\n"
    lines = "".join(f"  | {value}\n" for value in quoted)
    return f"export type {name} =\n{lines.rstrip()};\n"


def _once(cls: type[msgspec.Struct], parts: list[str], structs: dict[str, mi.StructType]) -> None:
    """What several rooms share is written once."""
    written = _interface(cls.__name__, _struct(cls), structs)
    if written not in parts:
        parts.append(written)


def _events(parts: list[str], structs: dict[str, mi.StructType]) -> None:
    for kind, modules in EVENT_MODULES.items():
        # Module by module: which of them was imported first is nobody's business here.
        events = [e for m in modules for e in EVENTS.items() if e[1].__module__ == m.__name__]
        table, audiences = [], []
        for type_, cls in events:
            is_party = issubclass(cls, PartyEvent)
            if cls.AUDIENCE == SEALED and not is_party:
                continue
            _once(cls, parts, structs)
            table.append(f"  readonly {type_}: {cls.__name__};\n")
            audiences.append(f'  {type_}: "{"party" if is_party else cls.AUDIENCE}",\n')
        name = kind.capitalize()
        parts.append(
            f"/** Payloads of room `{kind}`, by journal type. */\n"
            f"export interface {name}Events {{\n{''.join(table)}}}\n"
        )
        parts.append(
            f"/** Which channel carries each event of room `{kind}`. */\n"
            f"export const {kind.upper()}_AUDIENCES: Record<keyof {name}Events, Audience> = "
            f"{{\n{''.join(audiences)}}};\n"
        )


def _commands(parts: list[str], structs: dict[str, mi.StructType]) -> None:
    rooms: dict[str, list[str]] = {}
    # As of events: the order of imports is nobody's business.
    made = [c for m in COMMAND_MODULES for c in COMMANDS.items() if c[1].__module__ == m.__name__]
    for (room, op), cls in made:
        if cls.SYSTEM:
            continue
        _once(cls, parts, structs)
        rooms.setdefault(room, []).append(f"  readonly {op}: {cls.__name__};\n")
    for room, lines in rooms.items():
        parts.append(
            f"/** Arguments of the commands of room `{room}`, by op. */\n"
            f"export interface {room.capitalize()}Commands {{\n{''.join(lines)}}}\n"
        )


def messages() -> str:
    """The whole text of messages.ts."""
    structs: dict[str, mi.StructType] = {}
    parts: list[str] = []
    _events(parts, structs)
    _commands(parts, structs)
    nested: list[str] = []
    written: set[str] = set()
    while set(structs) - written:
        for name in [name for name in structs if name not in written]:
            written.add(name)
            nested.append(_interface(name, structs[name], structs))
    head = [
        HEAD,
        _union("Role", [role.value for role in Role]),
        _union("Stage", [stage.value for stage in Stage]),
        _union("MeetingStage", [stage.value for stage in MeetingStage]),
        'export type Audience = "hall" | "staff" | "party";\n',
        "/** May the same request succeed later? */\n"
        "export const REFUSALS = {\n"
        + "".join(
            f'  "{code}": {{ retryable: {str(refusal.retryable).lower()} }},\n'
            for code, refusal in sorted(REFUSALS.items())
        )
        + "} as const;\n",
        "export type RefusalCode = keyof typeof REFUSALS;\n",
    ]
    return "\n".join([*head, *nested, *parts])


def main() -> int:
    text = messages()
    if "--check" in sys.argv:
        return 0 if TARGET.exists() and TARGET.read_text("utf-8") == text else 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
