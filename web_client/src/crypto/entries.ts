/**
 * Log entries (日志条目): salt16 ‖ u8 type ‖ JCS, at most 4,096 bytes (C13; formats.md §5).
 *
 * Invariant: an entry read here has exactly the members of its type. The salt keeps a leaf from
 * being guessed, so an entry is compared by its raw bytes, never by its members alone.
 */
import { ENTRY_OBJECTS, ENTRY_TYPE } from "../formats.ts";
import { type Bytes, concat, hex, u8 } from "./bytes.ts";
import { decode, encode, type JsonObject } from "./canonical.ts";
import { assert, Rejected } from "./errors.ts";
import { blake2b512, label } from "./hashes.ts";
import { check } from "./schema.ts";

export { ENTRY_TYPE };

const SALT = 16;
const HEAD = SALT + 1;
const SIZE_MAX = 4096;
const DEPTH_MAX = 4;

export interface LogEntry {
  readonly type: number;
  readonly members: JsonObject;
  readonly salt: Bytes;
  readonly raw: Bytes;
}

/** Codes: `entry.size`, `entry.type` (unknown), those of canonical and schema. */
export function decodeEntry(raw: Uint8Array): LogEntry {
  if (raw.length <= HEAD || raw.length > SIZE_MAX) throw new Rejected("entry.size");
  const type = raw[SALT] as number;
  const name = objectOf(type);
  const members = decode(raw.subarray(HEAD), { sizeMax: SIZE_MAX, depthMax: DEPTH_MAX });
  check({ kind: "ref", name }, members);
  const own = new Uint8Array(raw);
  return { type, members: members as JsonObject, salt: own.slice(0, SALT), raw: own };
}

/** The entry's bytes; pages need it only in tests and rehearsals. */
export function encodeEntry(type: number, members: JsonObject, salt: Uint8Array): Bytes {
  assert(salt.length === SALT, "a salt of 16 bytes");
  check({ kind: "ref", name: objectOf(type) }, members);
  const raw = concat(salt, u8(type), encode(members));
  if (raw.length > SIZE_MAX) throw new Rejected("entry.size");
  return raw;
}

/** The members of an entry, if it is of this type. Code: `entry.type`. */
export function membersAs<Members>(entry: LogEntry, type: number): Members {
  if (entry.type !== type) throw new Rejected("entry.type", String(entry.type));
  return entry.members as unknown as Members;
}

/**
 * What officers sign before an entry with `sigs` is appended:
 * "KBID1 act" ‖ 00 ‖ u8 type ‖ tender_id ‖ BLAKE2b-512(JCS without server_ms and sigs).
 */
export function actMessage(type: number, tenderId: Uint8Array, members: JsonObject): Bytes {
  const left = Object.entries(members).filter(([name]) => name !== "server_ms" && name !== "sigs");
  const text = encode({ ...Object.fromEntries(left), tender_id: hex(tenderId) });
  return concat(label("KBID1 act"), u8(type), tenderId, blake2b512(text));
}

function objectOf(type: number): string {
  const name = ENTRY_OBJECTS[type];
  if (name === undefined) throw new Rejected("entry.type", String(type));
  return name;
}
