"""Prints the schemas as TypeScript (格式的 TypeScript 类型).

Invariant: the output depends on the schemas only, so a test can say whether
web_client/src/formats.ts is fresh. It holds the types, and the same schemas as data, so that the
client can check without a second list of members.
"""

import json
from collections.abc import Iterable, Iterator, Mapping

from crypto.code_points import ALLOWED, UNICODE_VERSION
from crypto.formats import DOCUMENTS
from crypto.objects.entry import ENTRY_TYPES, EntryType
from crypto.schema import (
    Ascii,
    Flag,
    Hex,
    Int,
    Items,
    Maybe,
    Note,
    Obj,
    OneOf,
    Open,
    Schema,
    Tagged,
    Text,
)

_HEAD = """\
// biome-ignore-all format: printed, not written
/**
 * The JSON objects of the project (数据格式): types, and the schemas as data.
 *
 * Printed by `python -m crypto.formats --typescript` from crypto/objects; change those instead.
 */

export type Schema =
  | { readonly kind: "int"; readonly low: number; readonly high: number }
  | { readonly kind: "flag" }
  | { readonly kind: "text"; readonly low: number; readonly high: number }
  | { readonly kind: "ascii"; readonly pattern: string }
  | { readonly kind: "hex"; readonly low: number; readonly high: number }
  | { readonly kind: "note"; readonly high: number }
  | { readonly kind: "oneOf"; readonly values: readonly (string | number)[] }
  | { readonly kind: "items"; readonly item: Schema; readonly low: number; readonly high: number }
  | { readonly kind: "maybe"; readonly schema: Schema }
  | { readonly kind: "ref"; readonly name: string };

/** Members are checked in this order; `optional` ones may be absent. */
export interface ObjectSchema {
  readonly kind: "object";
  readonly members: Readonly<Record<string, Schema>>;
  readonly optional: readonly string[];
}
/** One of several objects, chosen by the value of the member `tag`. */
export interface TaggedSchema {
  readonly kind: "tagged";
  readonly tag: string;
  readonly variants: Readonly<Record<string, string>>;
}
/** An object whose members another check decides. */
export interface OpenSchema {
  readonly kind: "open";
}
export interface DocumentLimits {
  readonly schema: Schema;
  readonly sizeMax: number;
  readonly depthMax: number;
}
"""

Named = Obj | Tagged | Open


def named_objects(roots: Iterable[Schema]) -> dict[str, Named]:
    """Every object below ``roots`` by name, each after those it is made of."""
    found: dict[str, Named] = {}

    def visit(schema: Schema) -> None:
        if isinstance(schema, Named) and schema.name in found:
            assert found[schema.name] == schema, f"two objects are called {schema.name}"
            return
        for inner in parts_of(schema):
            visit(inner)
        if isinstance(schema, Named):
            found[schema.name] = schema

    for root in roots:
        visit(root)
    return found


def parts_of(schema: Schema) -> Iterator[Schema]:
    """The schemas directly inside."""
    match schema:
        case Items(item=inner) | Maybe(schema=inner):
            yield inner
        case Obj(members=members):
            yield from (inner for inner, _ in members.values())
        case Tagged(variants=variants):
            yield from variants.values()
        case _:
            return


def typescript() -> str:
    """The whole of web_client/src/formats.ts."""
    roots = [document.schema for document in DOCUMENTS.values()]
    objects = named_objects([*roots, *(kind.schema for kind in ENTRY_TYPES.values())])
    lines = [_HEAD]
    for name, schema in objects.items():
        lines += [f"/** {schema.title} */"] if schema.title else []
        lines += [*_declaration(name, schema), ""]
    lines += ["export const OBJECTS: Readonly<"]
    lines += ["  Record<string, ObjectSchema | TaggedSchema | OpenSchema>", "> = {"]
    lines += [f"  {name}: {_object_data(schema)}," for name, schema in objects.items()]
    lines += ["};", "", "export const DOCUMENTS = {"]
    lines += [
        f"  {name}: {{ schema: {_data(document.schema)}, sizeMax: {document.size_max},"
        f" depthMax: {document.depth_max} }},"
        for name, document in DOCUMENTS.items()
    ]
    lines += ["} as const satisfies Record<string, DocumentLimits>;", ""]
    lines += ["export const ENTRY_TYPE = {"]
    lines += [f"  {entry_type.name}: {entry_type.value}," for entry_type in EntryType]
    lines += ["} as const;", "", "/** Entry type to the name of its object. */"]
    lines += ["export const ENTRY_OBJECTS: Readonly<Record<number, string>> = {"]
    lines += [f"  {kind.type.value}: {_text(kind.schema.name)}," for kind in ENTRY_TYPES.values()]
    lines += ["};", "", *_code_points(), ""]
    return "\n".join(lines)


def _declaration(name: str, schema: Named) -> list[str]:
    match schema:
        case Open():
            return [f"export type {name} = Readonly<Record<string, unknown>>;"]
        case Tagged(variants=variants):
            union = " | ".join(variant.name for variant in variants.values())
            return [f"export type {name} = {union};"]
        case Obj(members=members, optional=optional):
            lines = [f"export interface {name} {{"]
            for member, (inner, _) in members.items():
                mark = "?" if member in optional else ""
                lines.append(f"  readonly {member}{mark}: {_type(inner)};")
            return [*lines, "}"]


def _type(schema: Schema) -> str:
    match schema:
        case Int():
            return "number"
        case Flag():
            return "boolean"
        case Text() | Ascii() | Hex() | Note():
            return "string"
        case OneOf(values):
            return " | ".join(_text(value) for value in values)
        case Items(item=inner):
            within = _type(inner)
            return f"readonly ({within})[]" if " " in within else f"readonly {within}[]"
        case Maybe(inner):
            return f"{_type(inner)} | null"
        case Obj() | Tagged() | Open():
            return schema.name


def _data(schema: Schema) -> str:
    match schema:
        case Int(low, high):
            return f'{{ kind: "int", low: {low}, high: {high} }}'
        case Flag():
            return '{ kind: "flag" }'
        case Text(low, high):
            return f'{{ kind: "text", low: {low}, high: {high} }}'
        case Ascii(pattern):
            return f'{{ kind: "ascii", pattern: {_text(pattern)} }}'
        case Hex(low, high):
            return f'{{ kind: "hex", low: {low}, high: {high} }}'
        case Note(high):
            return f'{{ kind: "note", high: {high} }}'
        case OneOf(values):
            return f'{{ kind: "oneOf", values: [{", ".join(map(_text, values))}] }}'
        case Items(item, low, high):
            return f'{{ kind: "items", item: {_data(item)}, low: {low}, high: {high} }}'
        case Maybe(inner):
            return f'{{ kind: "maybe", schema: {_data(inner)} }}'
        case Obj() | Tagged() | Open():
            return f'{{ kind: "ref", name: {_text(schema.name)} }}'


def _object_data(schema: Named) -> str:
    match schema:
        case Open():
            return '{ kind: "open" }'
        case Tagged(tag=tag, variants=variants):
            names = {value: variant.name for value, variant in variants.items()}
            return f'{{ kind: "tagged", tag: {_text(tag)}, variants: {_record(names)} }}'
        case Obj(members=members, optional=optional):
            listed = ", ".join(f"{name}: {_data(inner)}" for name, (inner, _) in members.items())
            absent = ", ".join(map(_text, sorted(optional)))
            return f'{{ kind: "object", members: {{ {listed} }}, optional: [{absent}] }}'


def _record(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{name}: {_text(value)}" for name, value in values.items()) + " }"


def _code_points() -> list[str]:
    return [
        "/**",
        f" * What a text may hold: Unicode {UNICODE_VERSION} and CJK extensions H and I, without",
        " * controls, private use and invisible characters. Base-36 distances between the code",
        " * points where the verdict changes; below the first is refused.",
        " */",
        "export const ALLOWED_CODE_POINTS =",
        f"  {_text(' '.join(ALLOWED.split()))};",
    ]


def _text(value: str | int) -> str:
    return json.dumps(value, ensure_ascii=False)
