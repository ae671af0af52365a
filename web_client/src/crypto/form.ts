/**
 * The form (开标一览表): what a form envelope holds, from padded bytes to checked values.
 *
 * Invariant: a form is read only from bytes that are their own canonical form, with exactly the
 * fields of the manifest, naming exactly the other envelopes of its SUBMIT; anything else is
 * refused, and the bid is malformed (C3). Money is fen, a rate counts units of its last digit.
 */
import type { Field, Form, Traces } from "../formats.ts";
import { type Bytes, compare, hex, unhex } from "./bytes.ts";
import type { Json } from "./canonical.ts";
import { decodeDocument, encodeDocument } from "./documents.ts";
import { assert, Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import { envelopeOf, type TenderManifest } from "./manifest.ts";
import { FORM_ENVELOPE } from "./message_parts.ts";
import { checkDays, checkText, parseMoney, parseRate } from "./text.ts";

export const FORM_BLOCK = 4096;
const FORM_PT_LEN_MAX = 65_536;

/** Where a form was found: a header has both. */
export interface FormPlace {
  readonly lot: number;
  readonly envelope: number;
}

/** Another envelope of the same bid. */
export interface Other {
  readonly envelope: number;
  readonly bid_id: Uint8Array;
}

/** A checked form: `values` are what the fields say (fen, units, days, text). */
export interface CheckedForm {
  /** Unpadded JCS, and the hash that frozen.json names. */
  readonly raw: Bytes;
  readonly sha256: Bytes;
  readonly members: Form;
  readonly values: ReadonlyMap<string, number | string>;
  readonly decisive: number | string;
}

/** sodium_pad: one byte 80, then zeros up to a multiple of `block`; always longer. */
export function pad(data: Uint8Array, block: number): Bytes {
  const out = new Uint8Array(paddedSize(data.length, block));
  out.set(data);
  out[data.length] = 0x80;
  return out;
}

/** Size after `pad` of `size` bytes. */
export function paddedSize(size: number, block: number): number {
  return (Math.floor(size / block) + 1) * block;
}

/** What `pad` was given. Code: `form.padding`. */
export function unpad(padded: Uint8Array, block: number): Bytes {
  if (padded.length === 0 || padded.length % block !== 0) throw new Rejected("form.padding");
  // Only the last block may hold padding; zeros before the mark belong to the data.
  let at = padded.length - 1;
  while (at > padded.length - block && padded[at] === 0) at--;
  if (padded[at] !== 0x80) throw new Rejected("form.padding");
  return padded.slice(0, at) as Bytes;
}

export interface FormInput {
  readonly bidder: { readonly code: string; readonly name: string };
  readonly fields: Readonly<Record<string, string | number>>;
  readonly others: readonly Other[];
  readonly traces?: Traces;
}

/** The unpadded JCS of a form; refused here if it would be malformed at the opening. */
export function encodeForm(manifest: TenderManifest, place: FormPlace, input: FormInput): Bytes {
  const others = inOrder(input.others).map(({ bid_id, envelope }) => ({
    bid_id: hex(bid_id),
    envelope,
  }));
  const raw = encodeDocument("Form", {
    bidder: { code: input.bidder.code, name: input.bidder.name },
    fields: input.fields,
    format: 1,
    lot: place.lot,
    others,
    ...(input.traces === undefined ? {} : { traces: input.traces }),
  });
  parseForm(raw, manifest, place, input.others);
  return raw;
}

/** `parseForm` of an envelope's plaintext. */
export function parsePaddedForm(
  padded: Uint8Array,
  manifest: TenderManifest,
  place: FormPlace,
  others: readonly Other[],
): CheckedForm {
  if (padded.length > FORM_PT_LEN_MAX) throw new Rejected("form.padding");
  return parseForm(unpad(padded, FORM_BLOCK), manifest, place, others);
}

/**
 * The form whose unpadded bytes are `raw`; `others` of its SUBMIT if this is envelope 1.
 *
 * Codes: canonical and schema, `form.` traces, lot, others, fields, field_type, and `money.*`,
 * `rate.*`, `days.*`, `text.*`.
 */
export function parseForm(
  raw: Uint8Array,
  manifest: TenderManifest,
  place: FormPlace,
  others: readonly Other[],
): CheckedForm {
  const members = decodeDocument("Form", raw);
  if ((members.traces !== undefined) !== manifest.members.traces) throw new Rejected("form.traces");
  if (members.lot !== place.lot) throw new Rejected("form.lot");
  const wanted = place.envelope === FORM_ENVELOPE ? inOrder(others) : [];
  const isSameList =
    members.others.length === wanted.length &&
    members.others.every((named, at) => {
      const other = wanted[at] as Other;
      return named.envelope === other.envelope && named.bid_id === hex(other.bid_id);
    });
  if (!isSameList) throw new Rejected("form.others");
  const envelope = envelopeOf(manifest, place.envelope);
  assert(envelope.kind === "form", "a form envelope");
  const values = fieldValues(envelope.fields, members.fields as Readonly<Record<string, Json>>);
  const decides = envelope.fields.find((field) => field.decides) as Field;
  const decisive = values.get(decides.name) as number | string;
  const own = new Uint8Array(raw);
  return { raw: own, sha256: sha256(own), members, values, decisive };
}

function inOrder(others: readonly Other[]): Other[] {
  return [...others].sort((a, b) => a.envelope - b.envelope || compare(a.bid_id, b.bid_id));
}

function fieldValues(
  schema: readonly Field[],
  written: Readonly<Record<string, Json>>,
): Map<string, number | string> {
  const names = schema.map((field) => field.name);
  const isComplete = schema.every((field) => field.optional || Object.hasOwn(written, field.name));
  if (!isComplete || !Object.keys(written).every((name) => names.includes(name))) {
    throw new Rejected("form.fields");
  }
  const values = new Map<string, number | string>();
  for (const field of schema) {
    const each = written[field.name];
    if (each !== undefined) values.set(field.name, fieldValue(field, each));
  }
  return values;
}

/** What one field's text says; also what an input field of the bid page is checked with. */
export function fieldValue(field: Field, written: Json): number | string {
  if (field.type === "days") {
    if (typeof written !== "number") throw new Rejected("form.field_type", field.name);
    return checkDays(written, field.max);
  }
  if (typeof written !== "string") throw new Rejected("form.field_type", field.name);
  switch (field.type) {
    case "money":
      return parseMoney(written);
    case "rate":
      return parseRate(written, field.digits);
    case "text":
      return checkText(written, 1, field.max);
  }
}

/** The form's bid_ids of its other envelopes, as bytes. */
export function namedOthers(form: Form): Other[] {
  return form.others.map(({ envelope, bid_id }) => ({ envelope, bid_id: unhex(bid_id) }));
}
