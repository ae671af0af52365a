/**
 * Checkpoints of the site log (存证检查点): a signed note with origin, size and root.
 *
 * Invariant: exactly three lines, an empty line, signature lines; nothing else is read out of it.
 * A signature under the log's name and key id must verify; lines of other keys are carried along
 * unread, as the signed-note format wants.
 */
import { type Bytes, base32, base64, compare, concat, unbase64, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import { type SigningKey, verify } from "./keys.ts";

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
  readonly text: string;
}

const CHECKPOINT_MAX = 8192;
const SIGNATURES_MAX = 16;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const SIGNATURE_LINE = /^\u2014 ([^ +\n]{1,255}) ([A-Za-z0-9+/=]{1,512})$/u;

/** First four bytes of SHA-256(name ‖ 0A ‖ type ‖ key): names a key in a signature line. */
export function keyId(name: string, key: Uint8Array, type = 1): Bytes {
  return sha256(utf8(name), new Uint8Array([0x0a, type]), key).slice(0, 4);
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

/** The checkpoint in `text`, if it is `origin`'s and signed by `key`; otherwise refused. */
export function parseCheckpoint(text: string, origin: string, key: Uint8Array): Checkpoint {
  if (text.length > CHECKPOINT_MAX) throw new Rejected("checkpoint.size");
  const at = text.indexOf("\n\n");
  if (at < 0 || !text.endsWith("\n")) throw new Rejected("checkpoint.format");
  const lines = text.slice(0, at).split("\n");
  const [name, sizeText, rootText] = lines;
  if (lines.length !== 3 || name === undefined || rootText === undefined) {
    throw new Rejected("checkpoint.format");
  }
  if (name !== origin) throw new Rejected("checkpoint.origin");
  const size = Number(sizeText);
  if (!SIZE.test(sizeText ?? "") || !Number.isSafeInteger(size)) {
    throw new Rejected("checkpoint.format");
  }
  const root = unbase64(rootText, "checkpoint.format");
  if (root.length !== 32) throw new Rejected("checkpoint.format");
  const signed = utf8(text.slice(0, at + 1));
  const noteLines = text.slice(at + 2, -1).split("\n");
  if (noteLines.length > SIGNATURES_MAX) throw new Rejected("checkpoint.format");
  const wanted = keyId(origin, key);
  let isSigned = false;
  for (const line of noteLines) {
    const match = SIGNATURE_LINE.exec(line);
    if (match === null) throw new Rejected("checkpoint.format");
    const raw = unbase64(match[2] as string, "checkpoint.format");
    if (match[1] !== origin || compare(raw.subarray(0, 4), wanted) !== 0) continue;
    if (!verify(key, signed, raw.subarray(4))) throw new Rejected("checkpoint.signature");
    isSigned = true;
  }
  if (!isSigned) throw new Rejected("checkpoint.signature");
  return { origin, size, root, text };
}

/** What people compare by eye: 24 Base32 characters (120 bits) in groups of four (C14). */
export function fingerprint(root: Uint8Array): string {
  const characters = base32(root).slice(0, 24);
  return (characters.match(/.{4}/g) ?? []).join(" ");
}
