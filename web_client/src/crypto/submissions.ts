/**
 * SUBMIT and WITHDRAW (递交、撤回): the message by which a bid counts (C9).
 *
 * Invariant: `parseSubmit` accepts one byte string per meaning. What needs memory is the caller's:
 * that seq and prev continue the chain of this bidder and lot, that headers agree.
 */
import { type Bytes, compare, concat, isZero, Reader, u8, u16, u32, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import type { SigningKey } from "./keys.ts";
import {
  checkBegin,
  FORM_ENVELOPE,
  isAscending,
  messageOf,
  type SignedMessage,
  signed,
  TENDER_ID_SIZE,
} from "./message_parts.ts";
import type { Suite } from "./suites/index.ts";

export const KIND_SUBMIT = 1;
export const KIND_WITHDRAW = 2;
const ITEMS_MAX = 256;
const MAGIC = "KBIDSUB1";
const LABEL = "KBID1 submit";

export interface SubmitItem {
  readonly envelope: number;
  readonly bid_id: Bytes;
}

export interface Submit extends SignedMessage {
  readonly tender_id: Bytes;
  readonly bidder_pk: Bytes;
  readonly lot: number;
  readonly seq: number;
  readonly prev: Bytes;
  readonly kind: number;
  readonly items: readonly SubmitItem[];
}

/** Codes: submit. length, magic, kind, zero, count, length, seq, prev, order, form. */
export function parseSubmit(raw: Uint8Array, suite: Suite): Submit {
  const { sizes } = suite;
  const head = 8 + TENDER_ID_SIZE + sizes.signPublic + 4 + 4 + 32 + 1 + 1 + 2;
  checkBegin(raw, head + sizes.signature, MAGIC, "submit");
  const reader = new Reader(raw);
  reader.take(8);
  const tender_id = reader.take(TENDER_ID_SIZE);
  const bidder_pk = reader.take(sizes.signPublic);
  const lot = reader.u32();
  const seq = reader.u32();
  const prev = reader.take(32);
  const kind = reader.u8();
  const zero = reader.u8();
  const count = reader.u16();
  if (kind !== KIND_SUBMIT && kind !== KIND_WITHDRAW) throw new Rejected("submit.kind");
  if (zero !== 0) throw new Rejected("submit.zero");
  const isLawfulCount = kind === KIND_SUBMIT ? count >= 1 && count <= ITEMS_MAX : count === 0;
  if (!isLawfulCount) throw new Rejected("submit.count");
  const item = 4 + sizes.bidId;
  if (raw.length !== head + count * item + sizes.signature) throw new Rejected("submit.length");
  if (seq === 0) throw new Rejected("submit.seq");
  // Only the first of a chain has no previous message; no message hashes to zero.
  if ((seq === 1) !== isZero(prev)) throw new Rejected("submit.prev");
  const packed = Array.from({ length: count }, () => reader.take(item));
  if (!isAscending(packed)) throw new Rejected("submit.order");
  const items = packed.map((bytes) => {
    const each = new Reader(bytes);
    return { envelope: each.u32(), bid_id: each.take(sizes.bidId) };
  });
  const forms = items.filter((one) => one.envelope === FORM_ENVELOPE).length;
  if (kind === KIND_SUBMIT && forms !== 1) throw new Rejected("submit.form");
  const fields = { tender_id, bidder_pk, lot, seq, prev, kind, items };
  return { ...messageOf(suite, raw), label: LABEL, ...fields };
}

export interface SubmitInput {
  readonly tender_id: Uint8Array;
  readonly lot: number;
  readonly seq: number;
  /** SHA-256 of the previous message of this bidder and lot; 32 zero bytes for seq 1. */
  readonly prev: Uint8Array;
  readonly items: readonly { envelope: number; bid_id: Uint8Array }[];
  readonly kind?: typeof KIND_SUBMIT | typeof KIND_WITHDRAW;
}

/** Sign a SUBMIT of envelopes in any order; kind 2 and no items withdraw. */
export function buildSubmit(suite: Suite, input: SubmitInput, key: SigningKey): Submit {
  const packed = input.items.map((item) => concat(u32(item.envelope), item.bid_id)).sort(compare);
  const body = concat(
    utf8(MAGIC),
    input.tender_id,
    key.public,
    u32(input.lot),
    u32(input.seq),
    input.prev,
    u8(input.kind ?? KIND_SUBMIT),
    u8(0),
    u16(packed.length),
    ...packed,
  );
  return parseSubmit(signed(suite, LABEL, body, key), suite);
}
