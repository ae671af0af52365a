/**
 * ACK (回执): the host's signed promise that a message is durable and will be in the log (C14).
 *
 * Invariant: it names the message by SHA-256 and says by when a checkpoint must include it; an ACK
 * whose entry is missing then is proof against the operator. A page shows "done" only on an ACK.
 * Its layout is the same in every suite, because the receipt key belongs to the log's side.
 */
import { type Bytes, concat, Reader, u8, u64, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { blake2b512, label, sha256 } from "./hashes.ts";
import { type SigningKey, verify } from "./keys.ts";

export const ACK_SUBMIT = 1;
export const ACK_WITHDRAW = 2;
export const ACK_UNLOCK = 3;
export const ACK_CARD_UNLOCK = 4;
export const ACK_SELF_RELEASE = 5;
export const ACK_RELEASE = 6;
export const ACK_OBJECTION = 7;
export const RESULT_ACCEPTED = 0;
export const RESULT_OTHER = 5;
const INTEGRATE_WITHIN_MS = 2000;
const MAGIC = "KBIDACK1";
const SIGNATURE = 64;
const SIZE = 8 + 32 + 1 + 32 + 1 + 8 + 8 + SIGNATURE;

/** `server_ms` is when the message was received (formats.md §1). */
export interface Ack {
  readonly raw: Bytes;
  readonly digest: Bytes;
  readonly tender_id: Bytes;
  readonly kind: number;
  readonly message_sha256: Bytes;
  readonly result: number;
  readonly server_ms: number;
  readonly integrate_by_ms: number;
}

/** Codes: ack. length, magic, kind, result, time (promised earlier than lawful). */
export function parseAck(raw: Uint8Array): Ack {
  if (raw.length !== SIZE) throw new Rejected("ack.length");
  const reader = new Reader(raw);
  if (new TextDecoder("latin1").decode(reader.take(8)) !== MAGIC) throw new Rejected("ack.magic");
  const tender_id = reader.take(32);
  const kind = reader.u8();
  const message_sha256 = reader.take(32);
  const result = reader.u8();
  const server = reader.big(8);
  const integrateBy = reader.big(8);
  if (kind < ACK_SUBMIT || kind > ACK_OBJECTION) throw new Rejected("ack.kind");
  if (result > RESULT_OTHER) throw new Rejected("ack.result");
  if (integrateBy < server + BigInt(INTEGRATE_WITHIN_MS)) throw new Rejected("ack.time");
  return {
    raw: new Uint8Array(raw),
    digest: sha256(raw),
    tender_id,
    kind,
    message_sha256,
    result,
    server_ms: Number(server),
    integrate_by_ms: Number(integrateBy),
  };
}

function signedMessage(body: Uint8Array): Bytes {
  return concat(label("KBID1 ack"), blake2b512(body));
}

/** Did the host's receipt key make it? */
export function ackSignatureOk(ack: Ack, hostReceiptPk: Uint8Array): boolean {
  const body = ack.raw.subarray(0, SIZE - SIGNATURE);
  return verify(hostReceiptPk, signedMessage(body), ack.raw.subarray(SIZE - SIGNATURE));
}

/** Sign an ACK as the host does; pages only do so in tests and rehearsals. */
export function buildAck(
  key: SigningKey,
  promise: {
    tender_id: Uint8Array;
    kind: number;
    message_sha256: Uint8Array;
    result: number;
    server_ms: number;
    /** Now; by default the moment of receipt. */
    signed_ms?: number;
  },
): Ack {
  const body = concat(
    utf8(MAGIC),
    promise.tender_id,
    u8(promise.kind),
    promise.message_sha256,
    u8(promise.result),
    u64(promise.server_ms),
    u64((promise.signed_ms ?? promise.server_ms) + INTEGRATE_WITHIN_MS),
  );
  return parseAck(concat(body, key.sign(signedMessage(body))));
}
