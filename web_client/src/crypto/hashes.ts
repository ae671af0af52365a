/**
 * The hashes of the formats: SHA-256, BLAKE2b, and H, BLAKE2b with the label inside the message.
 *
 * Invariant: a labelled hash always contains its label and one 00 byte before the data (C4), so a
 * value made for one purpose never fits another. The digest size is BLAKE2b's own parameter, not
 * a truncation.
 */
import { type Bytes, concat, utf8 } from "./bytes.ts";
import { sodium } from "./sodium.ts";

const NUL = new Uint8Array(1);

export function sha256(...parts: readonly Uint8Array[]): Bytes {
  return sodium().crypto_hash_sha256(parts.length === 1 ? one(parts) : concat(...parts)) as Bytes;
}

function one(parts: readonly Uint8Array[]): Uint8Array {
  return parts[0] as Uint8Array;
}

/** BLAKE2b of the parts, with an optional key (at most 64 bytes) and digest size 16..64. */
export function blake2b(parts: readonly Uint8Array[], size: number, key?: Uint8Array): Bytes {
  const data = parts.length === 1 ? one(parts) : concat(...parts);
  return sodium().crypto_generichash(size, data, key ?? null) as Bytes;
}

export const blake2b256 = (...parts: readonly Uint8Array[]): Bytes => blake2b(parts, 32);
export const blake2b512 = (...parts: readonly Uint8Array[]): Bytes => blake2b(parts, 64);

/** `label` ‖ 00: how every hash and signature label begins. */
export function label(text: string): Bytes {
  return concat(utf8(text), NUL);
}

/** H(label, data, key, size) of the sealing format (4.2). */
export function labelled(
  text: string,
  parts: readonly Uint8Array[],
  options: { key?: Uint8Array; size?: number } = {},
): Bytes {
  return blake2b([label(text), ...parts], options.size ?? 32, options.key);
}

/** BLAKE2b-256 fed piece by piece; `digest` ends it. */
export class RunningBlake2b {
  private readonly size: number;
  private readonly state;

  constructor(size = 32) {
    this.size = size;
    this.state = sodium().crypto_generichash_init(null, size);
  }

  update(data: Uint8Array): void {
    sodium().crypto_generichash_update(this.state, data);
  }

  /** The digest; the object is used up. */
  digest(): Bytes {
    return sodium().crypto_generichash_final(this.state, this.size) as Bytes;
  }
}
