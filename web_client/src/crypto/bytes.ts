/**
 * Bytes: joining, comparing, big-endian integers, hex, Base32, Base64.
 *
 * Invariant: every decoder accepts exactly one spelling of a value (lower-case hex, padded
 * Base64, upper-case Base32), so that text in a signed document has one meaning and one form.
 */
import { assert, Rejected } from "./errors.ts";

/** Bytes that own a plain ArrayBuffer, as WebCrypto, Blob and fetch ask for. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** UTF-8 of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** All parts, one after the other, in fresh memory. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Same bytes? Time depends on the length only, as far as a JIT allows. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Order as unsigned bytes: negative, 0 or positive. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** `value` as `size` big-endian bytes; a value that does not fit is our error. */
export function uint(value: number | bigint, size: number): Bytes {
  let rest = BigInt(value);
  assert(rest >= 0n && rest < 1n << BigInt(8 * size), `${value} fits ${size} bytes`);
  const out = new Uint8Array(size);
  for (let i = size - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

export const u8 = (value: number): Bytes => uint(value, 1);
export const u16 = (value: number): Bytes => uint(value, 2);
export const u32 = (value: number): Bytes => uint(value, 4);
export const u64 = (value: number | bigint): Bytes => uint(value, 8);

/** Reads fixed fields from bytes of a length that was checked before. */
export class Reader {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  take(size: number): Bytes {
    assert(this.at + size <= this.bytes.length, "a read inside the bytes");
    const out = new Uint8Array(this.bytes.subarray(this.at, this.at + size));
    this.at += size;
    return out;
  }

  big(size: number): bigint {
    let value = 0n;
    for (const byte of this.take(size)) value = (value << 8n) | BigInt(byte);
    return value;
  }

  u8 = (): number => Number(this.big(1));
  u16 = (): number => Number(this.big(2));
  u32 = (): number => Number(this.big(4));

  /** Above 2^53-1 the answer is rounded, and so never equal to an integer of our documents. */
  u64 = (): number => Number(this.big(8));
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

/** Bytes of lower-case hex of exactly `size` bytes (any even length without `size`). */
export function unhex(text: string, size?: number, code = "hex.malformed"): Bytes {
  const ok = /^(?:[0-9a-f]{2})*$/.test(text);
  if (!ok || (size !== undefined && text.length !== 2 * size)) throw new Rejected(code);
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 Base32 without padding; the last character is filled with zero bits. */
export function base32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32[(value >> bits) & 31];
    }
  }
  return bits > 0 ? out + BASE32[(value << (5 - bits)) & 31] : out;
}

/** Bytes of Base32 text without padding; refuses other characters and bits left over. */
export function unbase32(text: string, code: string): Bytes {
  const out: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) throw new Rejected(code);
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push((value >> bits) & 255);
    }
  }
  if (bits >= 5 || (value & ((1 << bits) - 1)) !== 0) throw new Rejected(code);
  return new Uint8Array(out);
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** RFC 4648 Base64 with padding. */
export function base64(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += `${BASE64[word >> 18]}${BASE64[(word >> 12) & 63]}`;
    out += left > 1 ? BASE64[(word >> 6) & 63] : "=";
    out += left > 2 ? BASE64[word & 63] : "=";
  }
  return out;
}

/** Bytes of padded Base64 in its only canonical spelling. */
export function unbase64(text: string, code: string): Bytes {
  const out: number[] = [];
  if (text.length % 4 !== 0) throw new Rejected(code);
  const body = text.replace(/={1,2}$/, "");
  let bits = 0;
  let value = 0;
  for (const character of body) {
    const digit = BASE64.indexOf(character);
    if (digit < 0) throw new Rejected(code);
    value = ((value << 6) | digit) & 0x3fff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push((value >> bits) & 255);
    }
  }
  const decoded = new Uint8Array(out);
  if (base64(decoded) !== text) throw new Rejected(code);
  return decoded;
}
