/**
 * What bidders send in a window (解密报文): UNLOCK (C11), card unlock and self-release (C8).
 *
 * Invariant: one message speaks of one envelope number and one window, so a form's messages can be
 * published while a body's stay closed. Parsing accepts one byte string per meaning.
 */
import { type Bytes, compare, concat, Reader, u16, u32, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import type { SigningKey } from "./keys.ts";
import {
  checkBegin,
  isAscending,
  type Message,
  messageOf,
  OPENING_NONCE_SIZE,
  type SignedMessage,
  signed,
  TENDER_ID_SIZE,
} from "./message_parts.ts";
import type { Suite } from "./suites/index.ts";

const ITEMS_MAX = 256;
const UNLOCK = { magic: "KBIDUNL1", label: "KBID1 unlock" };
const CARD_MAGIC = "KBIDCRD1";
const SELF_MAGIC = "KBIDSLF1";

export interface UnlockItem {
  readonly bid_id: Bytes;
  readonly bidder_half: Bytes;
}

/** UNLOCK: bidder halves of one envelope number in one window. */
export interface Unlock extends SignedMessage {
  readonly tender_id: Bytes;
  readonly opening_nonce: Bytes;
  readonly bidder_pk: Bytes;
  readonly envelope: number;
  readonly w: number;
  readonly items: readonly UnlockItem[];
}

/** Card unlock: knowing s_B is the authorisation; there is no signature. */
export interface CardUnlock extends Message {
  readonly tender_id: Bytes;
  readonly opening_nonce: Bytes;
  readonly bid_id: Bytes;
  readonly bidder_half: Bytes;
}

/** Self-release: a bidder shows its own s_H; valid when DEAL CHECK passes. */
export interface SelfRelease extends Message {
  readonly tender_id: Bytes;
  readonly opening_nonce: Bytes;
  readonly bid_id: Bytes;
  readonly host_half: Bytes;
}

/** Codes: unlock. length, magic, count, length, window, order. */
export function parseUnlock(raw: Uint8Array, suite: Suite): Unlock {
  const { sizes } = suite;
  const head = 8 + TENDER_ID_SIZE + OPENING_NONCE_SIZE + sizes.signPublic + 4 + 2 + 2;
  checkBegin(raw, head + sizes.signature, UNLOCK.magic, "unlock");
  const reader = new Reader(raw);
  reader.take(8);
  const tender_id = reader.take(TENDER_ID_SIZE);
  const opening_nonce = reader.take(OPENING_NONCE_SIZE);
  const bidder_pk = reader.take(sizes.signPublic);
  const envelope = reader.u32();
  const w = reader.u16();
  const count = reader.u16();
  if (count < 1 || count > ITEMS_MAX) throw new Rejected("unlock.count");
  const size = head + count * (sizes.bidId + sizes.bidderHalf) + sizes.signature;
  if (raw.length !== size) throw new Rejected("unlock.length");
  if (w === 0) throw new Rejected("unlock.window");
  const items = Array.from({ length: count }, () => ({
    bid_id: reader.take(sizes.bidId),
    bidder_half: reader.take(sizes.bidderHalf),
  }));
  if (!isAscending(items.map((item) => item.bid_id))) throw new Rejected("unlock.order");
  const fields = { tender_id, opening_nonce, bidder_pk, envelope, w, items };
  return { ...messageOf(suite, raw), label: UNLOCK.label, ...fields };
}

export interface UnlockInput {
  readonly tender_id: Uint8Array;
  readonly opening_nonce: Uint8Array;
  readonly envelope: number;
  readonly w: number;
  readonly items: readonly { bid_id: Uint8Array; bidder_half: Uint8Array }[];
}

/** Sign an UNLOCK of bids in any order. */
export function buildUnlock(suite: Suite, input: UnlockInput, key: SigningKey): Unlock {
  const packed = input.items.map((item) => concat(item.bid_id, item.bidder_half)).sort(compare);
  const body = concat(
    utf8(UNLOCK.magic),
    input.tender_id,
    input.opening_nonce,
    key.public,
    u32(input.envelope),
    u16(input.w),
    u16(packed.length),
    ...packed,
  );
  return parseUnlock(signed(suite, UNLOCK.label, body, key), suite);
}

/** The four fields that card unlock and self-release share in layout; the last has `size`. */
function readShort(
  raw: Uint8Array,
  suite: Suite,
  kind: { magic: string; noun: string; size: number },
): { tender_id: Bytes; opening_nonce: Bytes; bid_id: Bytes; half: Bytes } {
  const size = 8 + TENDER_ID_SIZE + OPENING_NONCE_SIZE + suite.sizes.bidId + kind.size;
  if (raw.length !== size) throw new Rejected(`${kind.noun}.length`);
  checkBegin(raw, size, kind.magic, kind.noun);
  const reader = new Reader(raw);
  reader.take(8);
  return {
    tender_id: reader.take(TENDER_ID_SIZE),
    opening_nonce: reader.take(OPENING_NONCE_SIZE),
    bid_id: reader.take(suite.sizes.bidId),
    half: reader.take(kind.size),
  };
}

/** Codes: card_unlock. length, magic. */
export function parseCardUnlock(raw: Uint8Array, suite: Suite): CardUnlock {
  const size = suite.sizes.bidderHalf;
  const { half, ...fields } = readShort(raw, suite, {
    magic: CARD_MAGIC,
    noun: "card_unlock",
    size,
  });
  return { ...messageOf(suite, raw), ...fields, bidder_half: half };
}

/** Codes: self_release. length, magic, scalar (not canonical, or zero). */
export function parseSelfRelease(raw: Uint8Array, suite: Suite): SelfRelease {
  const size = suite.sizes.hostHalf;
  const { half, ...fields } = readShort(raw, suite, {
    magic: SELF_MAGIC,
    noun: "self_release",
    size,
  });
  if (!suite.isHostHalf(half)) throw new Rejected("self_release.scalar");
  return { ...messageOf(suite, raw), ...fields, host_half: half };
}

interface ShortInput {
  readonly tender_id: Uint8Array;
  readonly opening_nonce: Uint8Array;
  readonly bid_id: Uint8Array;
}

/** The message that a card's s_B authorises by itself. */
export function buildCardUnlock(
  suite: Suite,
  input: ShortInput & { readonly bidder_half: Uint8Array },
): CardUnlock {
  const { tender_id, opening_nonce, bid_id, bidder_half } = input;
  const raw = concat(utf8(CARD_MAGIC), tender_id, opening_nonce, bid_id, bidder_half);
  return parseCardUnlock(raw, suite);
}

/** The message by which a bidder shows s_H when trustees are lost. */
export function buildSelfRelease(
  suite: Suite,
  input: ShortInput & { readonly host_half: Uint8Array },
): SelfRelease {
  const { tender_id, opening_nonce, bid_id, host_half } = input;
  const raw = concat(utf8(SELF_MAGIC), tender_id, opening_nonce, bid_id, host_half);
  return parseSelfRelease(raw, suite);
}
