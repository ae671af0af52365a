/**
 * A small language that says what a JSON object may hold (格式描述), and the check that applies it.
 *
 * Invariant: exactly the members listed, exactly these types. Checks are made in one order (unknown
 * members, missing members, then the members in the schema's order, each completely), the same as in
 * the Python package, whose tables are printed into `formats.ts`; so both refuse with one code.
 *
 * Codes: `object.type`, `object.member_unknown`, `object.member_missing`, `object.range`,
 * `object.length`, `object.value`, and `text.*`. The detail is the place: `trustees[0].xpk`.
 */
import { OBJECTS, type ObjectSchema, type Schema, type TaggedSchema } from "../formats.ts";
import { isObject, type Json, type JsonObject } from "./canonical.ts";
import { assert, Rejected } from "./errors.ts";
import { checkText } from "./text.ts";

/** Refuse unless `value` is what `schema` says. */
export function check(schema: Schema, value: Json, place = ""): void {
  switch (schema.kind) {
    case "int":
      if (typeof value !== "number") throw new Rejected("object.type", place);
      if (value < schema.low || value > schema.high) throw new Rejected("object.range", place);
      return;
    case "flag":
      if (typeof value !== "boolean") throw new Rejected("object.type", place);
      return;
    case "maybe":
      if (value !== null) check(schema.schema, value, place);
      return;
    case "items":
      checkItems(schema, value, place);
      return;
    case "ref":
      checkObject(schema.name, value, place);
      return;
    case "oneOf":
      if (!schema.values.some((lawful) => lawful === value)) {
        throw new Rejected("object.value", place);
      }
      return;
    default:
      if (typeof value !== "string") throw new Rejected("object.type", place);
      checkString(schema, value, place);
  }
}

function checkObject(name: string, value: Json, place: string): void {
  const schema = OBJECTS[name];
  assert(schema !== undefined, `an object called ${name}`);
  if (!isObject(value)) throw new Rejected("object.type", place);
  if (schema.kind === "object") checkMembers(schema, value, place);
  if (schema.kind === "tagged") checkTagged(schema, value, place);
}

function checkItems(schema: Schema & { kind: "items" }, value: Json, place: string): void {
  if (!Array.isArray(value)) throw new Rejected("object.type", place);
  if (value.length < schema.low || value.length > schema.high) {
    throw new Rejected("object.length", place);
  }
  for (const [at, each] of value.entries()) check(schema.item, each, `${place}[${at}]`);
}

function checkTagged(schema: TaggedSchema, value: JsonObject, place: string): void {
  const chosen = value[schema.tag];
  if (chosen === undefined) throw new Rejected("object.member_missing", inside(place, schema.tag));
  const isKnown = typeof chosen === "string" && Object.hasOwn(schema.variants, chosen);
  if (!isKnown) throw new Rejected("object.value", inside(place, schema.tag));
  checkObject(schema.variants[chosen] as string, value, place);
}

function checkMembers(schema: ObjectSchema, value: JsonObject, place: string): void {
  const names = Object.keys(schema.members);
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  if (unknown[0] !== undefined) {
    throw new Rejected("object.member_unknown", inside(place, unknown[0].slice(0, 40)));
  }
  for (const name of names) {
    if (value[name] === undefined && !schema.optional.includes(name)) {
      throw new Rejected("object.member_missing", inside(place, name));
    }
  }
  for (const [name, inner] of Object.entries(schema.members)) {
    const member = value[name];
    if (member !== undefined) check(inner, member, inside(place, name));
  }
}

function checkString(
  schema: Schema & { kind: "text" | "ascii" | "hex" | "note" },
  value: string,
  place: string,
): void {
  let isLawful: boolean;
  switch (schema.kind) {
    case "text":
      checkText(value, schema.low, schema.high);
      return;
    case "ascii":
      isLawful = new RegExp(`^(?:${schema.pattern})$`).test(value);
      break;
    case "hex": {
      const size = value.length / 2;
      const isHex = /^(?:[0-9a-f]{2})*$/.test(value);
      isLawful = isHex && schema.low <= size && size <= schema.high;
      break;
    }
    case "note":
      isLawful = [...value].length <= schema.high;
  }
  if (!isLawful) throw new Rejected("object.value", place);
}

function inside(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}
