/**
 * JSON texts that stand alone, read from outside (数据格式).
 *
 * Invariant: bytes that are not their own canonical form, are too long or too deep, or have not
 * exactly the members of their schema never get further. What a schema cannot say (order, sums,
 * signatures) is checked by the file named after the object.
 */
import {
  type BundleIndex,
  type ClosedList,
  type Consistency,
  DOCUMENTS,
  type Form,
  type Frozen,
  type JournalRow,
  type KeyFile,
  type Manifest,
  type ManifestSignatures,
  type Proof,
  type ReadOut,
  type Receipt,
  type Stub,
} from "../formats.ts";
import type { Bytes } from "./bytes.ts";
import { decode, encode, type Json } from "./canonical.ts";
import { assert } from "./errors.ts";
import { check } from "./schema.ts";

/** Name of a document -> its type. */
export interface DocumentTypes {
  Manifest: Manifest;
  ManifestSignatures: ManifestSignatures;
  Form: Form;
  Proof: Proof;
  Consistencies: readonly Consistency[];
  Receipt: Receipt;
  Stub: Stub;
  JournalRow: JournalRow;
  BundleIndex: BundleIndex;
  ClosedList: ClosedList;
  Frozen: Frozen;
  ReadOut: ReadOut;
  KeyFile: KeyFile;
}
export type DocumentName = keyof DocumentTypes & keyof typeof DOCUMENTS;

/** The value of a document read from outside; codes of canonical and schema. */
export function decodeDocument<Name extends DocumentName>(
  name: Name,
  raw: Uint8Array,
): DocumentTypes[Name] {
  const { schema, sizeMax, depthMax } = DOCUMENTS[name];
  const value = decode(raw, { sizeMax, depthMax });
  check(schema, value);
  return value as unknown as DocumentTypes[Name];
}

/** Its canonical bytes; the same refusals, so that nothing is written that nobody would read. */
export function encodeDocument<Name extends DocumentName>(
  name: Name,
  value: DocumentTypes[Name],
): Bytes {
  const { schema, sizeMax } = DOCUMENTS[name];
  const json = value as unknown as Json;
  check(schema, json);
  const raw = encode(json);
  assert(raw.length <= sizeMax, `${name} within its limit`);
  return raw;
}
