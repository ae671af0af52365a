/**
 * Dealing the host half to trustees (密钥分量) and getting it back: C2, C5.
 *
 * Invariant: the whole dealing is a function of s_H and AD, so once s_H is known everybody can
 * recompute every share and every box. A bidder is blamed only by a failed DEAL CHECK, a trustee
 * only when DEAL CHECK passes and its signed answer differs from the recomputed one.
 */
import { type Bytes, concat, equal } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import type { Header } from "./header.ts";
import type { BoxKey } from "./keys.ts";
import { coefficients, hostCommitment, trusteeEphemeral } from "./schedule.ts";
import type { Suite } from "./suites/index.ts";

export const SHARE_OK = 0;
export const SHARE_UNREADABLE = 1;
export const SHARE_OTHER_AD = 2;
export const SHARE_REFUSED = 3;

/** A host half that matches c_H, and the positions (from 1) whose shares gave it. */
export interface FoundHalf {
  readonly hostHalf: Bytes;
  readonly subset: readonly number[];
}

/** Trustee `i` (from 1) gave another share than was dealt, or called a good box unreadable. */
export interface ShareFault {
  readonly i: number;
  readonly fault: "share" | "unreadable";
}

/** box_1, box_2, ... of C2: share_i ‖ AD, sealed to trustee i with an ephemeral key from s_H. */
export function dealBoxes(
  suite: Suite,
  ad: Uint8Array,
  sH: Uint8Array,
  t: number,
  trusteeXpks: readonly Uint8Array[],
): Bytes[] {
  const polynomial = coefficients(suite, ad, sH, t);
  return trusteeXpks.map((xpk, at) => {
    const share = suite.shareAt(polynomial, at + 1);
    return suite.boxSeal(concat(share, ad), xpk, trusteeEphemeral(suite, ad, sH, at + 1));
  });
}

/** Is s_H canonical, not zero, and the half committed to in c_H? */
export function hostHalfMatches(header: Header, sH: Uint8Array): boolean {
  const { suite, ad, c_H } = header;
  return suite.isHostHalf(sH) && equal(hostCommitment(suite, ad, sH), c_H);
}

/** DEAL CHECK of C2: s_H matches c_H and gives every box of the header byte for byte. */
export function dealCheck(header: Header, sH: Uint8Array): boolean {
  if (!hostHalfMatches(header, sH)) return false;
  const keys = header.trustees.map((row) => row.xpk);
  const boxes = dealBoxes(header.suite, header.ad, sH, header.t, keys);
  return header.trustees.every((row, at) => equal(row.box, boxes[at] as Bytes));
}

/**
 * What trustee `i` (from 1) answers about its box: status of C11 and share, or zero bytes.
 *
 * A box that opens to a share that is not canonical is unreadable: such a share cannot be sent.
 */
export function openShare(
  header: Header,
  i: number,
  key: BoxKey,
): { status: number; share: Bytes } {
  const { suite, ad } = header;
  const row = header.trustees[i - 1];
  if (row === undefined) throw new Rejected("share.position");
  if (!equal(key.public, row.xpk)) throw new Rejected("share.key");
  const nothing = new Uint8Array(suite.sizes.share);
  const content = suite.boxOpen(row.box, key.public, key.secret);
  if (content === null) return { status: SHARE_UNREADABLE, share: nothing };
  const share = content.slice(0, suite.sizes.share);
  if (!equal(content.subarray(suite.sizes.share), ad)) {
    return { status: SHARE_OTHER_AD, share: nothing };
  }
  if (!suite.isShare(share)) return { status: SHARE_UNREADABLE, share: nothing };
  return { status: SHARE_OK, share };
}

/**
 * The subset search of C5 over shares of status 0, by position; null if no subset gives c_H.
 *
 * `first` is the subset that worked for the previous bid, so that an opening tries one per bid.
 */
export function findHostHalf(
  header: Header,
  shares: ReadonlyMap<number, Uint8Array>,
  first?: readonly number[],
): FoundHalf | null {
  const { suite } = header;
  const usable = [...shares]
    .filter(([i, share]) => i >= 1 && i <= header.n && suite.isShare(share))
    .map(([i]) => i)
    .sort((a, b) => a - b);
  for (const subset of subsets(usable, header.t, first)) {
    const chosen = subset.map((i) => shares.get(i) as Uint8Array);
    const sH = suite.combine(subset, chosen);
    if (hostHalfMatches(header, sH)) return { hostHalf: sH, subset };
  }
  return null;
}

/**
 * The trustees whom C5 names; `unreadable` holds the positions that answered status 1 or 2.
 *
 * Nobody is named unless DEAL CHECK passes: on a bad dealing no trustee can be blamed.
 */
export function shareFaults(
  header: Header,
  sH: Uint8Array,
  shares: ReadonlyMap<number, Uint8Array>,
  unreadable: readonly number[],
): ShareFault[] {
  const { suite, ad, t } = header;
  if (!dealCheck(header, sH)) return [];
  const polynomial = coefficients(suite, ad, sH, t);
  const faults: ShareFault[] = unreadable.map((i) => ({ i, fault: "unreadable" }));
  for (const [i, share] of shares) {
    if (!equal(share, suite.shareAt(polynomial, i))) faults.push({ i, fault: "share" });
  }
  return faults.sort((a, b) => a.i - b.i);
}

/** Subsets of size t in lexicographic order, `first` before all others. */
function* subsets(
  positions: readonly number[],
  t: number,
  first: readonly number[] | undefined,
): Generator<readonly number[]> {
  const isUsable = first?.length === t && first.every((i) => positions.includes(i));
  if (first !== undefined && isUsable) yield first;
  for (const subset of combinations(positions, t)) {
    const isFirst = isUsable && subset.every((i, at) => i === first?.[at]);
    if (!isFirst) yield subset;
  }
}

function* combinations(items: readonly number[], size: number): Generator<readonly number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = 0; at + size <= items.length; at++) {
    for (const rest of combinations(items.slice(at + 1), size - 1)) {
      yield [items[at] as number, ...rest];
    }
  }
}
