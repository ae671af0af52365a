/**
 * Checkpoints of the site log (存证检查点): a signed note with origin, size and root.
 *
 * Invariant: exactly three lines (origin, size, base64 root), an empty line and one signature line
 * of the log key; every byte is fixed by these. Cosignature lines come with witnesses; until then
 * more lines are refused.
 */
import { type Bytes, base32, base64, concat, equal, unbase64, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import { type SigningKey, verify } from "./keys.ts";

/** A verified head: the log at `origin` has `size` leaves with this root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
  readonly text: string;
}

export const CHECKPOINT_MAX = 2048;
const SIZE = /^[1-9][0-9]{0,15}$/;
const KEY_ID = 4;

/** SHA-256(name ‖ 0A ‖ 01 ‖ key)[:4]: says which key signed. */
export function keyId(name: string, key: Uint8Array): Bytes {
  return sha256(utf8(name), new Uint8Array([0x0a, 1]), key).slice(0, KEY_ID);
}

/** The part that is signed: three lines, each with its newline. */
function body(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${base64(root)}\n`;
}

/** A checkpoint's whole text, signed by the log key. */
export function signCheckpoint(
  origin: string,
  size: number,
  root: Uint8Array,
  key: SigningKey,
): string {
  const signed = body(origin, size, root);
  const signature = concat(keyId(origin, key.public), key.sign(utf8(signed)));
  return `${signed}\n\u2014 ${origin} ${base64(signature)}\n`;
}

/**
 * The head that `key` signed under the name `origin`.
 *
 * Codes: `checkpoint.size` (too long), `checkpoint.form`, `checkpoint.origin`, `checkpoint.key`
 * (another key id), `checkpoint.signature`.
 */
export function parseCheckpoint(text: string, origin: string, key: Uint8Array): Checkpoint {
  if (text.length > CHECKPOINT_MAX) throw new Rejected("checkpoint.size");
  const lines = text.split("\n");
  const [name, sizeText, rootText, empty, signatureLine, end] = lines;
  if (lines.length !== 6 || empty !== "" || end !== "") throw new Rejected("checkpoint.form");
  if (name !== origin) throw new Rejected("checkpoint.origin");
  const size = Number(sizeText);
  if (!SIZE.test(sizeText as string) || !Number.isSafeInteger(size)) {
    throw new Rejected("checkpoint.form");
  }
  const root = noteBytes(rootText as string, 32);
  const mark = `\u2014 ${origin} `;
  if (!(signatureLine as string).startsWith(mark)) throw new Rejected("checkpoint.form");
  const signature = noteBytes((signatureLine as string).slice(mark.length), KEY_ID + 64);
  if (!equal(signature.subarray(0, KEY_ID), keyId(origin, key))) {
    throw new Rejected("checkpoint.key");
  }
  if (!verify(key, utf8(body(origin, size, root)), signature.subarray(KEY_ID))) {
    throw new Rejected("checkpoint.signature");
  }
  return { origin, size, root, text };
}

function noteBytes(encoded: string, size: number): Bytes {
  const data = unbase64(encoded, "checkpoint.form");
  if (data.length !== size) throw new Rejected("checkpoint.form");
  return data;
}

/** What people compare by eye: 24 Base32 characters (120 bits) in groups of four (C14). */
export function fingerprint(root: Uint8Array): string {
  const characters = base32(root).slice(0, 24);
  return (characters.match(/.{4}/g) ?? []).join(" ");
}
