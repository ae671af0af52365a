/**
 * RELEASE (招标人解密报文, C11): one trustee's shares of one envelope number in one window.
 *
 * Invariant: the list is ascending and distinct; a share is canonical if its status is 0 and zero
 * bytes otherwise, so one meaning has one byte string. The signer is not named in it: the position
 * `i` says which trustee of the manifest must have signed.
 */
import { type Bytes, compare, concat, isZero, Reader, u8, u16, u32, u64, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { TRUSTEES_MAX } from "./header.ts";
import type { SigningKey } from "./keys.ts";
import {
  checkBegin,
  isAscending,
  messageOf,
  OPENING_NONCE_SIZE,
  type SignedMessage,
  signed,
  TENDER_ID_SIZE,
} from "./message_parts.ts";
import { SHARE_OK, SHARE_REFUSED } from "./shares.ts";
import type { Suite } from "./suites/index.ts";

export const MODE_UNLOCKED = 0;
export const MODE_ALL = 1;
const ITEMS_MAX = 20_000;
const MAGIC = "KBIDREL1";
const LABEL = "KBID1 release";

export interface ReleaseItem {
  readonly bid_id: Bytes;
  readonly status: number;
  readonly share: Bytes;
}

export interface Release extends SignedMessage {
  readonly tender_id: Bytes;
  /** Root and size of a checkpoint that includes WINDOW_END. */
  readonly root: Bytes;
  readonly size: number;
  readonly opening_nonce: Bytes;
  readonly envelope: number;
  /** The trustee's position in the header, from 1. */
  readonly i: number;
  readonly mode: number;
  readonly items: readonly ReleaseItem[];
}

/**
 * Codes: release. length, magic, position, mode, zero, count, length, order, status, share.
 * An empty list is lawful: nobody unlocked.
 */
export function parseRelease(raw: Uint8Array, suite: Suite): Release {
  const { sizes } = suite;
  const head = 8 + TENDER_ID_SIZE + 32 + 8 + OPENING_NONCE_SIZE + 4 + 1 + 1 + 2 + 4;
  checkBegin(raw, head + sizes.signature, MAGIC, "release");
  const reader = new Reader(raw);
  reader.take(8);
  const tender_id = reader.take(TENDER_ID_SIZE);
  const root = reader.take(32);
  const size = reader.u64();
  const opening_nonce = reader.take(OPENING_NONCE_SIZE);
  const envelope = reader.u32();
  const i = reader.u8();
  const mode = reader.u8();
  const zero = reader.u16();
  const count = reader.u32();
  if (i < 1 || i > TRUSTEES_MAX) throw new Rejected("release.position");
  if (mode !== MODE_UNLOCKED && mode !== MODE_ALL) throw new Rejected("release.mode");
  if (zero !== 0) throw new Rejected("release.zero");
  if (count > ITEMS_MAX) throw new Rejected("release.count");
  const length = head + count * (sizes.bidId + 1 + sizes.share) + sizes.signature;
  if (raw.length !== length) throw new Rejected("release.length");
  const items = Array.from({ length: count }, () => ({
    bid_id: reader.take(sizes.bidId),
    status: reader.u8(),
    share: reader.take(sizes.share),
  }));
  if (!isAscending(items.map((item) => item.bid_id))) throw new Rejected("release.order");
  for (const { status, share } of items) {
    if (status > SHARE_REFUSED) throw new Rejected("release.status");
    const isLawful = status === SHARE_OK ? suite.isShare(share) : isZero(share);
    if (!isLawful) throw new Rejected("release.share");
  }
  const fields = { tender_id, root, size, opening_nonce, envelope, i, mode, items };
  return { ...messageOf(suite, raw), label: LABEL, ...fields };
}

export interface ReleaseInput {
  readonly tender_id: Uint8Array;
  readonly root: Uint8Array;
  readonly size: number;
  readonly opening_nonce: Uint8Array;
  readonly envelope: number;
  readonly i: number;
  readonly mode: number;
  readonly items: readonly { bid_id: Uint8Array; status: number; share: Uint8Array }[];
}

/** Sign a RELEASE of bids in any order, with the trustee's signing key. */
export function buildRelease(suite: Suite, input: ReleaseInput, key: SigningKey): Release {
  const packed = input.items
    .map((item) => concat(item.bid_id, u8(item.status), item.share))
    .sort(compare);
  const body = concat(
    utf8(MAGIC),
    input.tender_id,
    input.root,
    u64(input.size),
    input.opening_nonce,
    u32(input.envelope),
    u8(input.i),
    u8(input.mode),
    u16(0),
    u32(packed.length),
    ...packed,
  );
  return parseRelease(signed(suite, LABEL, body, key), suite);
}
