/**
 * What every message of bidders and trustees has (报文公共部分): raw bytes, a digest, a signer.
 *
 * Invariant: a message keeps the bytes that were received; its digest and its signature are over
 * those, never over a re-encoding.
 */
import { type Bytes, compare, concat, equal, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import type { SigningKey } from "./keys.ts";
import type { Suite } from "./suites/index.ts";

export const TENDER_ID_SIZE = 32;
export const OPENING_NONCE_SIZE = 32;
export const FORM_ENVELOPE = 1;

/** A message as received; `digest` (SHA-256 of raw) is what receipts and entries name. */
export interface Message {
  readonly suite: Suite;
  readonly raw: Bytes;
  readonly digest: Bytes;
}

/** A message whose last bytes are a signature over all before, under the label of its kind. */
export interface SignedMessage extends Message {
  readonly label: string;
  /** The signer that the message itself names, if it names one. */
  readonly bidder_pk?: Uint8Array;
}

export function messageOf(suite: Suite, raw: Uint8Array): Message {
  return { suite, raw: new Uint8Array(raw), digest: sha256(raw) };
}

/** Did the holder of `key` make it? A message that names its signer must name this key. */
export function signatureOk(message: SignedMessage, key: Uint8Array): boolean {
  const { suite, raw, label } = message;
  if (message.bidder_pk !== undefined && !equal(message.bidder_pk, key)) return false;
  const body = raw.subarray(0, raw.length - suite.sizes.signature);
  return suite.verify(key, suite.signedMessage(label, body), raw.subarray(body.length));
}

export function signed(suite: Suite, label: string, body: Uint8Array, key: SigningKey): Bytes {
  return concat(body, key.sign(suite.signedMessage(label, body)));
}

/** Refuse bytes too short for their fixed parts or not of this kind. */
export function checkBegin(raw: Uint8Array, sizeMin: number, magic: string, noun: string): void {
  if (raw.length < sizeMin) throw new Rejected(`${noun}.length`);
  if (!equal(raw.subarray(0, magic.length), utf8(magic))) throw new Rejected(`${noun}.magic`);
}

/** Strictly: so distinct too. */
export function isAscending(values: readonly Uint8Array[]): boolean {
  return values.every((value, at) => at === 0 || compare(values[at - 1] as Bytes, value) < 0);
}
